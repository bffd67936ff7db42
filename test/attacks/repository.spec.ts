import { besiege } from './besiege.ts';

besiege('repository');
