import type { Topic } from '../script.ts';
import { access } from './access.ts';
import { apply } from './apply.ts';
import { bodies } from './bodies.ts';
import { coreKinds } from './core-kinds.ts';
import { create } from './create.ts';
import { deletion } from './delete.ts';
import { forgotten } from './forgotten.ts';
import { kinds } from './kinds.ts';
import { patches } from './patch.ts';
import { paths } from './paths.ts';
import { read } from './read.ts';
import { update } from './update.ts';
import { watches } from './watch.ts';

export const topics: readonly Topic[] = [
  create,
  access,
  kinds,
  coreKinds,
  bodies,
  update,
  patches,
  apply,
  deletion,
  read,
  watches,
  paths,
  forgotten,
];
