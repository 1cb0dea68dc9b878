/** A usage record as a CloudEvent (specification 1.0, JSON format). */
export type UnwrappedEvent =
  | { readonly record: Readonly<Record<string, unknown>> }
  | { readonly field: string; readonly code: string; readonly message: string };

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/**
 * The record in an event: `source` and `id` are its name, `data` holds `unit`, `user`, `amount`, `time` and `dimensions`.
 * What data does not say comes from the envelope: the user from `subject`, the time from `time`, the unit from `type`.
 * Extension attributes are none of our business, as the specification has it.
 */
export const recordOfCloudEvent = (raw: unknown): UnwrappedEvent => {
  if (!isObject(raw)) return { field: '', code: 'not-an-object', message: 'a CloudEvent is a JSON object' };
  const { specversion, id, source, type, subject, time, data } = raw;
  if (specversion !== '1.0') return { field: 'specversion', code: 'unsupported', message: 'specversion is 1.0' };
  for (const [field, value] of Object.entries({ id, source, type }))
    if (!isText(value))
      return { field, code: 'required', message: `a CloudEvent has a ${field}, a text that is not empty` };
  if (!isObject(data)) return { field: 'data', code: 'required', message: 'data is a JSON object' };
  for (const field of ['id', 'source'])
    if (field in data)
      return {
        field: `data.${field}`,
        code: 'unknown-field',
        message: `${field} is an attribute of the event, not of its data`,
      };
  return {
    record: {
      ...data,
      unit: data['unit'] ?? type,
      user: data['user'] ?? subject,
      time: data['time'] ?? time,
      id,
      source,
    },
  };
};

/** The field of an event that gave a field of its record. */
export const cloudEventField = (raw: unknown, field: string): string => {
  const data = isObject(raw) && isObject(raw['data']) ? raw['data'] : {};
  const [name = ''] = field.split('.', 1);
  if (name in data) return `data.${field}`;
  return { unit: 'type', user: 'subject', amount: 'data.amount' }[field] ?? field;
};

/** An event in the binary mode of HTTP and AMQP: attributes are headers with this prefix, the body is the data. */
export const cloudEventOf = (headers: Readonly<Record<string, unknown>>, prefix: string, data: unknown): Fields => ({
  ...Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  ),
  data,
});
