import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';

/** Who the payer is and how to reach them. All of it is personal data, none of it decides an amount. */
export type Profile = {
  readonly name: string | null;
  /** How many leading characters of `name` are the first name. */
  readonly firstNameLength: number | null;
  readonly email: string | null;
  readonly address1: string | null;
  readonly address2: string | null;
  readonly postalCode: string | null;
  readonly company: string | null;
  readonly city: string | null;
  readonly state: string | null;
  readonly country: string | null;
  readonly locale: string | null;
  readonly phone: string | null;
  readonly notes: string | null;
};

export const emptyProfile: Profile = {
  name: null,
  firstNameLength: null,
  email: null,
  address1: null,
  address2: null,
  postalCode: null,
  company: null,
  city: null,
  state: null,
  country: null,
  locale: null,
  phone: null,
  notes: null,
};

export type ProfileEvent =
  /** The whole profile as it is afterwards. */
  | { readonly type: 'ProfileRecorded'; readonly data: Profile & { readonly accountId: string } }
  /** From here on nothing before this event may be shown; an operator truncates the stream before it. */
  | { readonly type: 'ProfileErased'; readonly data: { readonly accountId: string } };

export type ProfileCommand =
  | {
      readonly type: 'RecordProfile';
      readonly data: { readonly accountId: string; readonly fields: Profile; readonly onNull: 'keep' | 'reset' };
    }
  | { readonly type: 'EraseProfile'; readonly data: { readonly accountId: string } };

const fields: readonly (keyof Profile)[] = [
  'name',
  'firstNameLength',
  'email',
  'address1',
  'address2',
  'postalCode',
  'company',
  'city',
  'state',
  'country',
  'locale',
  'phone',
  'notes',
];

const sameProfile = (a: Profile, b: Profile): boolean => fields.every((field) => a[field] === b[field]);

const laidOver = (current: Profile, given: Profile): Profile => ({
  name: given.name ?? current.name,
  firstNameLength: given.firstNameLength ?? current.firstNameLength,
  email: given.email ?? current.email,
  address1: given.address1 ?? current.address1,
  address2: given.address2 ?? current.address2,
  ...placeOver(current, given),
  locale: given.locale ?? current.locale,
  phone: given.phone ?? current.phone,
  notes: given.notes ?? current.notes,
});

const placeOver = (current: Profile, given: Profile) => ({
  postalCode: given.postalCode ?? current.postalCode,
  company: given.company ?? current.company,
  city: given.city ?? current.city,
  state: given.state ?? current.state,
  country: given.country ?? current.country,
});

/** Nothing about a profile is refused here: its form was checked where it came in, and it decides nothing. */
export const profile: Decider<ProfileCommand, ProfileEvent, Profile, never> = {
  initial: emptyProfile,
  decide: (command, current) => {
    const { accountId } = command.data;
    if (command.type === 'EraseProfile')
      return sameProfile(current, emptyProfile) ? accept() : accept({ type: 'ProfileErased', data: { accountId } });
    const given = command.data.fields;
    const next = command.data.onNull === 'reset' ? given : laidOver(current, given);
    return sameProfile(current, next) ? accept() : accept({ type: 'ProfileRecorded', data: { accountId, ...next } });
  },
  evolve: (_current, event) => {
    if (event.type === 'ProfileErased') return emptyProfile;
    return laidOver(emptyProfile, event.data);
  },
};

export const profileSchema = defineSchema<ProfileEvent>({
  ProfileRecorded: 'accountProfile.recorded.v1',
  ProfileErased: 'accountProfile.erased.v1',
});
