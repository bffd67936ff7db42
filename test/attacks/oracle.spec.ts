import { besiege } from './besiege.ts';

besiege('oracle');
