import { describe, expect, it } from 'vitest';
import { shortened } from './kurrent-settings.ts';

describe('the rows of a server’s settings', () => {
  it('name what would shorten a stream by its newest settings alone', () => {
    expect(
      shortened([
        { stream: 'a', json: '{"$maxCount":5,"$acl":{}}' },
        { stream: 'b', json: '{"$tb":0}' },
        { stream: 'b', json: '{"$maxAge":60}' },
        { stream: 'c', json: '{"$maxAge":60,"$tb":3}' },
        { stream: 'd', json: 'null' },
        { stream: 'e', json: '{' },
      ]),
    ).toEqual(['a: $maxCount', 'c: $maxAge, $tb', 'e: settings that are not JSON']);
  });
});
