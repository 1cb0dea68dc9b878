import type { CommandContext } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';
import { type CountingMethod, defaultRule, unitIdOf, unitStream } from '@billstream/metering-domain';
import type { Metering } from './metering';

/** The units that the default catalog prices, each with one rule: everything counts, nothing is free, nothing is limited. */
const defaultUnits: readonly { readonly name: string; readonly countingMethod: CountingMethod }[] = [
  { name: 'host', countingMethod: 'AVG' },
  { name: 'analytics', countingMethod: 'SUM' },
];

/** A unit that is there already stays as it is, whoever defined it. */
export const defineDefaultUnits = async ({ unit }: Metering, context: CommandContext): Promise<void> => {
  for (const { name, countingMethod } of defaultUnits) {
    const unitId = unitIdOf(context.tenantId, name);
    const command = {
      type: 'DefineUnit' as const,
      unitId,
      name,
      countingMethod,
      rules: [defaultRule(countingMethod)],
      at: context.at,
    };
    const defined = await unit(unitStream(unitId), command, {
      ...context,
      commandId: derivedId(context.commandId, name),
    });
    if (defined.outcome === 'accepted' || (defined.outcome === 'rejected' && defined.rejection.code === 'unit-exists'))
      continue;
    throw new Error(`the default unit ${name} could not be defined: ${defined.outcome}`);
  }
};
