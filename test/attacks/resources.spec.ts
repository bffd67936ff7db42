import { besiege } from './besiege.ts';

besiege('resources');
