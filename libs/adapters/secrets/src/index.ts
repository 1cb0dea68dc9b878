export { open, seal } from './sealed-text';
export { hashSecret, matchesHash } from './secret-hash';
export { installationSecrets } from './installation-secrets';
export type { InstallationSecrets } from './installation-secrets';
