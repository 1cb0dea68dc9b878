export { open, seal } from './sealed-text';
export { knownMatches } from './known-matches';
export { hashSecret, matchesHash } from './secret-hash';
export { installationSecrets } from './installation-secrets';
export type { InstallationSecrets } from './installation-secrets';
