import { specificationOf } from '@billstream/event-sourcing/testing';
import { type Profile, emptyProfile, profile } from './profile';

const { given } = specificationOf(profile);
const accountId = 'a';
const record = (fields: Partial<Profile>, onNull: 'keep' | 'reset' = 'keep') => ({
  type: 'RecordProfile' as const,
  data: { accountId, fields: { ...emptyProfile, ...fields }, onNull },
});
const recorded = (fields: Partial<Profile>) => ({
  type: 'ProfileRecorded' as const,
  data: { accountId, ...emptyProfile, ...fields },
});

describe('record profile', () => {
  it('keeps what is not said', () => {
    given(recorded({ name: 'Ann Lee', email: 'ann@example.com' }))
      .when(record({ email: 'lee@example.com', city: 'Seoul' }))
      .then(recorded({ name: 'Ann Lee', email: 'lee@example.com', city: 'Seoul' }));
  });
  it('clears what is not said where a null means to reset', () => {
    given(recorded({ name: 'Ann Lee', phone: '1' }))
      .when(record({ name: 'Ann' }, 'reset'))
      .then(recorded({ name: 'Ann' }));
  });
  it('leaves no event when nothing changes', () => {
    given(recorded({ name: 'Ann' }))
      .when(record({ name: 'Ann' }))
      .thenNothing();
    given().when(record({})).thenNothing();
  });
});

describe('erase profile', () => {
  it('leaves nothing behind, and happens once', () => {
    const erase = { type: 'EraseProfile' as const, data: { accountId } };
    const erased = given(recorded({ name: 'Ann' }))
      .when(erase)
      .then({ type: 'ProfileErased', data: { accountId } });
    expect(erased).toEqual(emptyProfile);
    given(recorded({ name: 'Ann' }), { type: 'ProfileErased', data: { accountId } })
      .when(erase)
      .thenNothing();
  });
});
