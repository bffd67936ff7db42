import { besiege } from './besiege.ts';

besiege('sealed');
