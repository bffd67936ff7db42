/** A finding's id is its run's with `-f<n>`, a run's its study's with `-<n>`: no view is needed to find the streams. */
export const runOf = (findingId: string): string => findingId.replace(/-f\d+$/, '');
export const studyOf = (runId: string): string => runId.replace(/-\d+$/, '');
