export { open, seal } from './sealed-text';
export { hashSecret, matchesHash } from './secret-hash';
