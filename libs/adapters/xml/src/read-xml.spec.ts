import { parseXml } from './read-xml';

describe('an XML document', () => {
  it('may be nested, but not without end', () => {
    const nested = (depth: number): string => `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`;
    expect(parseXml(nested(50))).toHaveProperty('root.name', 'a');
    expect(parseXml(nested(100_000))).toHaveProperty('error');
  });
  it('is refused, never thrown at, when an element has a name that programs reserve', () => {
    expect(parseXml('<a><constructor>1</constructor></a>')).toHaveProperty('error');
    expect(parseXml('<a __proto__="1"/>')).toHaveProperty('error');
  });
  it('may not define entities, and knows those of XML', () => {
    expect(parseXml('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')).toHaveProperty('error');
    expect(parseXml('<a>&lt;&amp;</a>')).toHaveProperty('root.text', '<&');
  });
});
