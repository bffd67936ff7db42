import { besiege } from './besiege.ts';

besiege('governance');
