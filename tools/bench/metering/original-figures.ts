import { type Figure, type Plan, samplesOf } from '../measure';
import { type Dataset, type Total, bodiesOf, datasetOf, totalsOf } from './dataset';
import { type Original, startOriginal } from './original';
import { perBody, sendOverHttp } from './producers';

type Wanted = Plan & { readonly seed: number; readonly records: number };

/** The original's pattern with the same records from the same producers. */
export const originalFigures = async (plan: Wanted, dataset: (name: string) => Dataset): Promise<readonly Figure[]> => {
  const figures: Figure[] = [];
  for (const withTags of [false, true]) {
    figures.push(await rateOf(plan, dataset, withTags));
    for (const isKilled of [false, true])
      figures.push(...(await within(withTags, (original) => kept(original, plan, { isKilled, withTags }))));
  }
  return figures;
};

const nameOf = (withTags: boolean): string => `original's pattern${withTags ? ', user and unit as tags' : ''}`;

const rateOf = async (plan: Wanted, dataset: (name: string) => Dataset, withTags: boolean): Promise<Figure> => {
  const rates: number[] = [];
  await within(withTags, async (original) => {
    for (let round = -plan.warmUps; round < plan.rounds; round += 1) {
      const bodies = bodiesOf(dataset(`original${round}`), plan.records, perBody);
      const seconds = await sendOverHttp(original, bodies);
      if (round >= 0) rates.push(plan.records / seconds);
    }
  });
  const name = `${nameOf(withTags)} (Redis counters, InfluxDB points), HTTP, ${perBody} a body`;
  return { name, unit: 'records/s', measured: samplesOf(rates), notes: [`${plan.records} records a round`] };
};

const within = async <T>(withTags: boolean, work: (original: Original) => Promise<T>): Promise<T> => {
  const original = await startOriginal(withTags);
  try {
    return await work(original);
  } finally {
    await original.stop();
  }
};

/** What its two stores say of records that were all answered, against what was sent. */
const kept = async (
  original: Original,
  { seed, records }: Wanted,
  { isKilled, withTags }: { readonly isKilled: boolean; readonly withTags: boolean },
): Promise<readonly Figure[]> => {
  const dataset = datasetOf({ seed, name: 'original', beginMs: Date.now() });
  const bodies = bodiesOf(dataset, records, perBody);
  const kills = new Set(isKilled ? [0.2, 0.4, 0.6, 0.8].map((share) => Math.floor(bodies.length * share)) : []);
  await sendOverHttp(original, bodies, {
    isPatient: true,
    onAnswer: (sent) => {
      if (kills.has(sent)) original.child.kill9();
    },
  });
  const wanted = totalsOf(dataset, 0, records);
  const [points, counters] = [await original.points(), await original.counters()];
  const sum = (totals: ReadonlyMap<string, Total>, what: keyof Total): number =>
    [...totals.values()].reduce((all, total) => all + total[what], 0);
  const [lost, counted] = [
    sum(wanted, 'records') - sum(points, 'records'),
    [...counters.values()].reduce((all, one) => all + one, 0) - sum(wanted, 'amount'),
  ];
  const after = isKilled ? `after ${kills.size} times kill -9` : 'nothing killed';
  return [
    {
      name: `${nameOf(withTags)}, points lost, ${after}`,
      unit: 'records',
      measured: samplesOf([lost]),
      notes: [
        `of ${sum(wanted, 'records')}; points of one millisecond${withTags ? ', user and unit' : ''} replace each other`,
      ],
    },
    {
      name: `${nameOf(withTags)}, counted too much, ${after}`,
      unit: 'units',
      measured: samplesOf([counted]),
      notes: [`of ${sum(wanted, 'amount')}; whatever is sent again counts again`],
    },
  ];
};
