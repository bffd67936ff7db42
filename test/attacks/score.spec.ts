import { besiege } from './besiege.ts';

besiege('score');
