import type { FindingEvidence } from '../evidence.ts';
import { dossierOf } from './dossier.ts';
import { reportHtml } from './html.ts';
import { modelCardOf } from './model-card.ts';
import type { Report } from './report.ts';

type ReportOf = (evidence: FindingEvidence) => Report;

const html =
  (reportOf: ReportOf) =>
  (evidence: FindingEvidence): Uint8Array =>
    new TextEncoder().encode(reportHtml(reportOf(evidence)));

/** The PDF library and its fonts are loaded with the first PDF: no other command waits for them. */
const pdf =
  (reportOf: ReportOf) =>
  async (evidence: FindingEvidence): Promise<Uint8Array> =>
    (await import('./pdf.ts')).reportPdf(reportOf(evidence));

/** The formats for people who read documents. */
export const DOCUMENT_EXPORTS = {
  'model-card': {
    about: 'a model card by the sections of Mitchell et al. 2019, as HTML',
    mediaType: 'text/html; charset=utf-8',
    ending: 'model-card.html',
    signed: false,
    write: html(modelCardOf),
  },
  'model-card-pdf': {
    about: 'the same as PDF',
    mediaType: 'application/pdf',
    ending: 'model-card.pdf',
    signed: false,
    write: pdf(modelCardOf),
  },
  dossier: {
    about:
      'a dossier by the EU AI Act (articles 11, 12, 14, Annex IV) and the NIST AI RMF, as HTML',
    mediaType: 'text/html; charset=utf-8',
    ending: 'dossier.html',
    signed: false,
    write: html(dossierOf),
  },
  'dossier-pdf': {
    about: 'the same as PDF',
    mediaType: 'application/pdf',
    ending: 'dossier.pdf',
    signed: false,
    write: pdf(dossierOf),
  },
} as const;
