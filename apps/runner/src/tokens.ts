/** The home that a process opened, for whoever is injected with it. */
export const HOME = Symbol('home');
