/** A kind of number that a state gives to people, as the package stdnum validates it. */
export interface NationalId {
  /** Country (ISO 3166) and number, as stdnum calls them. */
  readonly country: string;
  readonly number: string;
  /** What it looks like without separators, upper case. */
  readonly shape: RegExp;
  /** Share of texts of that shape, drawn at random, that pass. The specification measures it. */
  readonly chance: number;
}

const id = (name: string, shape: RegExp, chance: number): NationalId => {
  const [country = '', number = ''] = name.split('.');
  return { country, number, shape, chance };
};

/** Those that need their letters or separators to be told from other numbers, and those that are digits alone. */
export const NATIONAL_IDS: readonly NationalId[] = [
  id('AT.vnr', /^\d{10}$/, 0.01),
  id('AU.tfn', /^\d{8,9}$/, 0.11),
  id('BA.jmbg', /^\d{13}$/, 0.01),
  id('BE.insz', /^\d{11}$/, 0.01),
  id('BG.egn', /^\d{10}$/, 0.11),
  id('BR.cpf', /^\d{11}$/, 0.02),
  id('CA.sin', /^\d{9}$/, 0.11),
  id('CA.bc_bhn', /^\d{10}$/, 0.02),
  id('CH.ssn', /^756\d{10}$/, 0.11),
  id('CL.run', /^\d{7,8}[\dK]$/, 0.11),
  id('CN.ric', /^\d{17}[\dX]$/, 0.01),
  id('CO.nit', /^\d{8,10}$/, 0.12),
  id('CU.ni', /^\d{11}$/, 0.04),
  id('CZ.rc', /^\d{9,10}$/, 0.18),
  id('DE.idnr', /^\d{11}$/, 0.02),
  id('DE.svnr', /^\d{8}[A-Z]\d{3}$/, 0.02),
  id('DK.cpr', /^\d{10}$/, 0.05),
  id('DO.cedula', /^\d{11}$/, 0.12),
  id('EC.ci', /^\d{10}$/, 0.03),
  id('EE.ik', /^\d{11}$/, 0.12),
  id('ES.dni', /^\d{8}[A-Z]$/, 0.06),
  id('ES.nie', /^[XYZ]\d{7}[A-Z]$/, 0.06),
  id('ES.nss', /^\d{12}$/, 0.02),
  id('FI.hetu', /^\d{6}[-+A]\d{3}[\dA-Y]$/, 0.02),
  id('FR.nif', /^\d{13}$/, 0.01),
  id('FR.nir', /^\d{15}$/, 0.02),
  id('GB.nino', /^[A-Z]{2}\d{6}[A-D]$/, 0.8),
  id('GB.utr', /^\d{10}$/, 0.12),
  id('GR.amka', /^\d{11}$/, 0.01),
  id('HK.hkid', /^[A-Z]{1,2}\d{6}[\dA]$/, 0.11),
  id('HR.oib', /^\d{11}$/, 0.12),
  id('IE.pps', /^\d{7}[A-W][A-IW]?$/, 0.08),
  id('IL.idnr', /^\d{8,9}$/, 0.12),
  id('IN.aadhaar', /^\d{12}$/, 0.1),
  id('IN.pan', /^[A-Z]{5}\d{4}[A-Z]$/, 0.45),
  id('IN.vid', /^\d{16}$/, 0.1),
  id('IS.kennitala', /^\d{10}$/, 0.01),
  id('IT.codicefiscale', /^[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]$/, 0.05),
  id('KR.rrn', /^\d{13}$/, 0.01),
  id('LT.asmens', /^\d{11}$/, 0.03),
  id('LV.pvn', /^\d{11}$/, 0.07),
  id('MX.curp', /^[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z\d]\d$/, 0.1),
  id('MY.nric', /^\d{12}$/, 0.05),
  id('NL.bsn', /^\d{8,9}$/, 0.12),
  id('NO.fodselsnummer', /^\d{11}$/, 0.01),
  id('NZ.ird', /^\d{8,9}$/, 0.12),
  id('PL.pesel', /^\d{11}$/, 0.02),
  id('PT.cc', /^\d{9}[A-Z]{2}\d$/, 0.12),
  id('PT.nif', /^\d{9}$/, 0.11),
  id('RO.cnp', /^\d{13}$/, 0.01),
  id('SE.personnummer', /^\d{6}[-+]\d{4}$/, 0.02),
  id('SI.emso', /^\d{13}$/, 0.01),
  id('SK.rc', /^\d{9,10}$/, 0.2),
  id('TH.idnr', /^\d{13}$/, 0.1),
  id('TR.tckimlik', /^\d{11}$/, 0.02),
  id('TW.natid', /^[A-Z][12]\d{8}$/, 0.12),
  id('UA.rntrc', /^\d{10}$/, 0.11),
  id('US.ssn', /^\d{9}$/, 0.91),
  id('UY.cedula', /^\d{8}$/, 0.12),
  id('ZA.idnr', /^\d{13}$/, 0.01),
];
