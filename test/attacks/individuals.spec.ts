import { besiege } from './besiege.ts';

besiege('individuals');
