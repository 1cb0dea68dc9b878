import { TemplateFault, checkTemplate, fillTemplate } from './mustache';

describe('a template', () => {
  it('shows values, escaped unless it says otherwise', () => {
    expect(fillTemplate('{{a}} {{{a}}} {{&a}} {{b.c}} {{none}}.', { a: '<"&', b: { c: 3 } })).toBe(
      '&lt;&quot;&amp; <"& <"& 3 .',
    );
  });

  it('repeats a section for each entry and looks outwards for names', () => {
    const data = { unit: 'EUR', lines: [{ amount: 1 }, { amount: 2 }], empty: [] };
    expect(fillTemplate('{{#lines}}[{{amount}} {{unit}}]{{/lines}}{{^empty}}none{{/empty}}', data)).toBe(
      '[1 EUR][2 EUR]none',
    );
  });

  it('leaves comments and empty sections out', () => {
    expect(fillTemplate('a{{! not shown }}{{#no}}x{{/no}}b', { no: null })).toBe('ab');
  });

  it.each(['{{#open}}', '{{/closed}}', '{{#a}}{{/b}}'])('is refused where it cannot be read: %s', (template) => {
    expect(() => fillTemplate(template, {})).toThrow(TemplateFault);
  });

  it('that repeats itself without end is refused', () => {
    const data = { lines: Array.from({ length: 20 }, () => ({ text: 'x'.repeat(1000) })) };
    const nested = (depth: number): string => `${'{{#lines}}'.repeat(depth)}a${'{{/lines}}'.repeat(depth)}`;
    expect(fillTemplate(nested(2), data)).toBe('a'.repeat(400));
    expect(() => fillTemplate(nested(10), data)).toThrow(TemplateFault);
    expect(() => checkTemplate(nested(20_000))).toThrow(TemplateFault);
    expect(() => fillTemplate(`{{#lines}}${'{{text}}'.repeat(1000)}{{/lines}}`, data)).toThrow(TemplateFault);
  });

  it('is read in one go, whatever stands in it', () => {
    const started = performance.now();
    for (const template of [`{{${' '.repeat(300_000)}`, '{'.repeat(300_000), `${'{{{a }}'.repeat(50_000)}}}}`])
      checkTemplate(template);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('knows nothing but what it was given', () => {
    expect(fillTemplate('{{constructor.name}}{{toString}}', {})).toBe('');
  });
});
