export { describeGatewayContract } from './gateway-contract';
export type { GatewayUnderTest, LedgerEntry, PlannedFault } from './gateway-contract';
