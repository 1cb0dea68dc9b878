import { propertiesFrom } from './invoice-page';

describe('a properties text', () => {
  it('names words, one a line, beside comments', () => {
    expect(propertiesFrom('# a = b\r\n! c = d\n  invoice Title  =  INVOICE : 1 \nx:y=z\nnothing\n = e\n')).toEqual({
      'invoice Title': 'INVOICE : 1',
      x: 'y=z',
    });
  });
  it('is read in one go, whatever stands in it', () => {
    const started = performance.now();
    propertiesFrom(`a${' '.repeat(300_000)}b\na=${' '.repeat(300_000)}b`);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
