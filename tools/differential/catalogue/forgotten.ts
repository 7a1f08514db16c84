import * as make from '../objects.ts';
import { paths } from '../objects.ts';
import type { Topic } from '../script.ts';
import { compact, get, patch, post, remove, script } from '../script.ts';

const { attributesClasses: classes } = paths;
const labels = { page: '{{ns}}' };
const ours = 'labelSelector=page={{ns}}';
const made = (name: string) => make.attributesClass(`{{ns}}-${name}`, { metadata: { labels } });

export const forgotten: Topic = {
  name: 'forgotten',
  scripts: [
    script(
      'what was compacted',
      post(classes, made('a')),
      post(classes, made('b')),
      get(`${classes}?${ours}&limit=1`, { as: 'page' }),
      get(`${classes}?${ours}&limit=1&continue={{page.continue}}`),
      patch('merge', `${classes}/{{ns}}-a`, { metadata: { annotations: { a: '1' } } }),
      patch('merge', `${classes}/{{ns}}-b`, { metadata: { annotations: { a: '1' } } }),
      post(classes, made('c'), { as: 'last' }),
      compact,
      get(`${classes}?${ours}&limit=1&continue={{page.continue}}`, { as: 'refusal' }),
      get(`${classes}?${ours}&resourceVersion={{page.rv}}&resourceVersionMatch=Exact`),
      get(`${classes}?${ours}&resourceVersion={{page.rv}}`),
      get(`${classes}?${ours}&watch=true&timeoutSeconds=1&resourceVersion={{page.rv}}`),
      get(`${classes}?${ours}&watch=true&timeoutSeconds=1&resourceVersion=1`),
      get(`${classes}?${ours}&watch=true&timeoutSeconds=1&resourceVersion={{last.rv}}`),
      patch('merge', `${classes}/{{ns}}-a`, { metadata: { annotations: { a: '2' } } }),
      get(`${classes}?${ours}&watch=true&timeoutSeconds=1&resourceVersion={{last.rv}}`),
      get(`${classes}/{{ns}}-a`),
      remove(`${classes}?${ours}`),
    ),
  ],
};
