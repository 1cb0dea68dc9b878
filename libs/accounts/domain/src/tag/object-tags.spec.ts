import { specificationOf } from '@billstream/event-sourcing/testing';
import { parkTagId } from './control-tags';
import { type ObjectTagsEvent, objectTags } from './object-tags';

const { given } = specificationOf(objectTags);
const accountId = 'a';
const object = { accountId, objectType: 'ACCOUNT' as const, objectId: accountId };
const tags = [{ tagDefinitionId: parkTagId, tagDefinitionName: '__PARK__' }];
const setParked = (isParked: boolean) => ({
  type: 'SetParked' as const,
  data: { accountId, isParked, seed: 'message-1' },
});
const decision = objectTags.decide(setParked(true), objectTags.initial);
const [parked] = 'events' in decision ? decision.events : [];
const added = parked as ObjectTagsEvent;

describe('the tag of a parked account', () => {
  it('is put on by the platform, once, and taken off', () => {
    expect(added).toMatchObject({ type: 'TagAdded', data: { ...object, ...tags[0] } });
    given(added).when(setParked(true)).then();
    given(added)
      .when(setParked(false))
      .then({ type: 'TagRemoved', data: { ...added.data, bySystem: true } });
    given().when(setParked(false)).then();
  });
  it('is put on by nobody else, and taken off by whoever may take tags off', () => {
    given()
      .when({ type: 'AddTags', data: { object, tags, seed: 's' } })
      .thenRejected({ code: 'tag-is-the-systems', tagDefinitionId: parkTagId });
    given(added).when({ type: 'RemoveTags', data: { tags } }).then({ type: 'TagRemoved', data: added.data });
  });
});
