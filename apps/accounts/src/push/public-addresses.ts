import type { Settings } from '@billstream/service-runtime';
import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, type LookupFunction, isIP } from 'node:net';

/** Addresses that lead into the platform's own network or nowhere (IANA's special-purpose registries). */
const blocked = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  blocked.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  blocked.addSubnet(network, bits, 'ipv6');

export const isPublicAddress = (address: string): boolean => {
  const family = isIP(address);
  return family !== 0 && !blocked.check(address, family === 4 ? 'ipv4' : 'ipv6');
};

/** Whether the host of a URL is an address that is not public; what a name leads to shows when it is called. */
export const namesPrivateAddress = ({ hostname }: URL): boolean => {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? /(^|\.)localhost\.?$/i.test(host) : !isPublicAddress(host);
};

/**
 * Finds the addresses of a name and refuses it when one of them is not public. The connection is made to what was found
 * here, so that a name cannot lead elsewhere between the check and the call.
 */
export const publicLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const isPublic =
      error === null && addresses.length > 0 && addresses.every(({ address }) => isPublicAddress(address));
    if (!isPublic) done(error ?? new Error(`${hostname} does not lead to a public address`), '', 0);
    else if (options.all === true) done(null, addresses);
    else done(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 0);
  });
};

/** A laptop's callbacks are on the laptop; elsewhere the configuration has to say so (`PRIVATE_CALLBACKS`). */
export const allowsPrivateCallbacks = ({ embedded, privateCallbacks }: Settings): boolean =>
  privateCallbacks ?? embedded;
