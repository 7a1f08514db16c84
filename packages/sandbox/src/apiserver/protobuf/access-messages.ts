import type { Message } from './messages.ts';
import { many, metadata, one } from './messages.ts';

const boundObjectRef: Message = { 1: one('kind'), 2: one('apiVersion'), 3: one('name'), 4: one('uid') };

/** What is asked about access and identity, by kind. */
export const accessMessages: Readonly<Record<string, Message>> = {
  TokenRequest: {
    1: metadata,
    2: one('spec', {
      message: () => ({
        1: many('audiences'),
        3: one('boundObjectRef', { message: () => boundObjectRef }),
        4: one('expirationSeconds', 'int'),
      }),
    }),
  },
};
