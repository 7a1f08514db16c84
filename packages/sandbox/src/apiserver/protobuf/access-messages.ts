import type { Message } from './messages.ts';
import { labelSelector, many, metadata, one } from './messages.ts';

function about(spec: Message): Message {
  return { 1: metadata, 2: one('spec', { message: () => spec }) };
}

const resourceAttributes: Message = {
  1: one('namespace'),
  2: one('verb'),
  3: one('group'),
  4: one('version'),
  5: one('resource'),
  6: one('subresource'),
  7: one('name'),
};
const accessSpec: Message = {
  1: one('resourceAttributes', { message: () => resourceAttributes }),
  2: one('nonResourceAttributes', { message: () => ({ 1: one('path'), 2: one('verb') }) }),
};
const subjectSpec: Message = { ...accessSpec, 3: one('user'), 4: many('groups'), 6: one('uid') };

const policyRule: Message = {
  1: many('verbs'),
  2: many('apiGroups'),
  3: many('resources'),
  4: many('resourceNames'),
  5: many('nonResourceURLs'),
};
const rules = many('rules', { message: () => policyRule });
const subject: Message = { 1: one('kind'), 2: one('apiGroup'), 3: one('name'), 4: one('namespace') };
const roleRef: Message = { 1: one('apiGroup'), 2: one('kind'), 3: one('name') };
const binding: Message = {
  1: metadata,
  2: many('subjects', { message: () => subject }),
  3: one('roleRef', { message: () => roleRef }),
};

const boundObjectRef: Message = { 1: one('kind'), 2: one('apiVersion'), 3: one('name'), 4: one('uid') };

/** Identity and access, by kind. The selectors of access reviews and the `extra` of a subject are not read. */
export const accessMessages: Readonly<Record<string, Message>> = {
  TokenRequest: about({
    1: many('audiences'),
    3: one('boundObjectRef', { message: () => boundObjectRef }),
    4: one('expirationSeconds', 'int'),
  }),
  TokenReview: about({ 1: one('token'), 2: many('audiences') }),
  SelfSubjectReview: {},
  SelfSubjectAccessReview: about(accessSpec),
  SelfSubjectRulesReview: about({ 1: one('namespace') }),
  SubjectAccessReview: about(subjectSpec),
  LocalSubjectAccessReview: about(subjectSpec),
  Role: { 1: metadata, 2: rules },
  ClusterRole: {
    1: metadata,
    2: rules,
    3: one('aggregationRule', {
      message: () => ({ 1: many('clusterRoleSelectors', { message: () => labelSelector }) }),
    }),
  },
  RoleBinding: binding,
  ClusterRoleBinding: binding,
};
