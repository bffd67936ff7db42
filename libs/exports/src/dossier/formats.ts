import type { FindingEvidence } from '../evidence.ts';
import { dossierOf } from './dossier.ts';
import { reportHtml } from './html.ts';
import { modelCardOf } from './model-card.ts';
import type { Report } from './report.ts';

type ReportOf = (evidence: FindingEvidence) => Report;

const html = (name: string, about: string, reportOf: ReportOf) =>
  ({
    about: `${about}, as HTML`,
    mediaType: 'text/html; charset=utf-8',
    ending: `${name}.html`,
    signed: false,
    write: (evidence: FindingEvidence): Uint8Array =>
      new TextEncoder().encode(reportHtml(reportOf(evidence))),
  }) as const;

/** The PDF library and its fonts are loaded with the first PDF: no other command waits for them. */
const pdf = (name: string, reportOf: ReportOf) =>
  ({
    about: 'the same as PDF',
    mediaType: 'application/pdf',
    ending: `${name}.pdf`,
    signed: false,
    write: async (evidence: FindingEvidence): Promise<Uint8Array> =>
      (await import('./pdf.ts')).reportPdf(reportOf(evidence)),
  }) as const;

/** The formats for people who read documents. */
export const DOCUMENT_EXPORTS = {
  'model-card': html(
    'model-card',
    'a model card by the sections of Mitchell et al. 2019',
    modelCardOf,
  ),
  'model-card-pdf': pdf('model-card', modelCardOf),
  dossier: html(
    'dossier',
    'a dossier by the EU AI Act (articles 11, 12, 14, Annex IV) and the NIST AI RMF',
    dossierOf,
  ),
  'dossier-pdf': pdf('dossier', dossierOf),
} as const;
