import { TemplateFault, fillTemplate } from './mustache';

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

  it('knows nothing but what it was given', () => {
    expect(fillTemplate('{{constructor.name}}{{toString}}', {})).toBe('');
  });
});
