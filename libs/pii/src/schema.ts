import type { PiiClass } from './classes.ts';
import { plainText } from './normalise.ts';

/**
 * Names of columns that hold what identifies people, word by word, in English, German, French, Spanish, Portuguese,
 * Italian, Dutch, Polish and Swedish. A column's name counts when it has the words next to one another
 * (`home_phone_2`), or is them written as one (`phonenumber`). `=` in front: only when nothing else stands there but
 * numbers (`name`, but not `product_name`).
 */
const NAMES: Readonly<Partial<Record<PiiClass, readonly string[]>>> = {
  'person-name': [
    ...['=name', '=names', '=nom', '=nombre', '=nome', '=naam', '=namn', '=imie', '=nazwisko'],
    ...['first name', 'last name', 'middle name', 'full name', 'given name', 'family name'],
    ...['maiden name', 'birth name', 'nick name', 'legal name', 'preferred name', 'display name'],
    ...['fname', 'lname', 'mname', 'surname', 'forename', 'middle initial'],
    ...['patient name', 'customer name', 'client name', 'employee name', 'contact name'],
    ...['person name', 'member name', 'student name', 'borrower name', 'applicant name'],
    ...['holder name', 'owner name', 'doctor name', 'physician name', 'mother name', 'father name'],
    ...['spouse name', 'guardian name', 'child name', 'emergency contact', 'next of kin'],
    ...['vorname', 'nachname', 'familienname', 'geburtsname', 'rufname'],
    ...['prenom', 'nom de famille', 'nom complet', 'primer nombre', 'nombre completo'],
    ...['apellido', 'apellidos', 'primeiro nome', 'nome completo', 'sobrenome', 'apelido'],
    ...['cognome', 'nominativo', 'voornaam', 'achternaam', 'fornamn', 'efternamn'],
    ...['=patient', '=person', '=employee', '=customer', '=student', '=teacher', '=physician'],
  ],
  email: [
    ...['email', 'e mail', 'mail address', 'emailadresse', 'correo', 'correo electronico'],
    ...['courriel', '=mail', 'epost'],
  ],
  phone: [
    ...[
      'phone',
      'telephone',
      'cellphone',
      '=mobile',
      'mobile number',
      'mobile phone',
      'cell number',
      'fax',
      '=tel',
      'tel no',
    ],
    ...['tel nr', 'tel number', 'telefon', 'telefono', 'telefone', 'telefoon', 'telefonnummer'],
    ...['handy', 'handynummer', 'celular', 'portable number', 'msisdn', 'whatsapp', 'phonenumber'],
  ],
  'national-id': [
    ...['ssn', 'social security', 'socialsecurity', 'national id', 'nationalid', 'identity number'],
    ...['national insurance', 'nino', 'tax id', 'taxid', 'taxpayer id', 'tin number', 'itin'],
    ...['passport', 'drivers license', 'driver license', 'driving licence', 'driver licence'],
    ...['license number', 'licence number', 'license no', 'licence no', 'id card', 'identity card'],
    ...['personal number', 'personalausweis', 'ausweis', 'ausweisnummer', 'reisepass'],
    ...['steuer id', 'steuernummer', 'sozialversicherungsnummer', 'sozialversicherung', 'insee'],
    ...['securite sociale', 'numero secu', 'nir', 'dni', 'nie', 'nif', 'cedula', 'curp', 'rfc'],
    ...['codice fiscale', 'codicefiscale', 'bsn', 'burgerservicenummer', 'pesel', 'personnummer'],
    ...['fodselsnummer', 'cpf', 'aadhaar', 'aadhar', 'sin number', 'tfn', 'tax file number'],
    ...['nric', 'hkid', 'cnp', 'egn', 'jmbg', 'oib', 'rut', 'cpr number', 'kennitala'],
  ],
  'health-id': [
    ...['mrn', 'medical record', 'patient id', 'patientid', 'patient no', 'patient number'],
    ...['nhs number', 'nhs no', '=nhs', 'mbi', 'npi', 'medicare number', 'medicare id'],
    ...['medicaid id', 'health plan', 'health card', 'insurance number', 'insurance no'],
    ...['insurance id', 'policy number', 'policy no', 'beneficiary id', 'subscriber id'],
    ...['versichertennummer', 'krankenversicherungsnummer', 'patientennummer', 'member id'],
    ...['accession number', 'encounter id', 'specimen id'],
  ],
  card: [
    ...['credit card', 'creditcard', 'card number', 'cardnumber', 'card no', 'debit card'],
    ...[
      'cc number',
      'ccnum',
      'pan number',
      'cvv',
      'cvc',
      'kreditkarte',
      'tarjeta',
      'carte bancaire',
    ],
  ],
  'bank-account': [
    ...['iban', 'bank account', 'account number', 'account no', 'acct no', 'acct number'],
    ...['accountnumber', 'routing number', 'sort code', 'kontonummer', 'cuenta', 'clabe'],
    ...['numero de compte', '=account', '=acct', '=konto'],
  ],
  'ip-address': ['ip', 'ipv4', 'ipv6', 'ip address', 'ipaddress', 'ip addr', 'remote addr'],
  'device-id': [
    ...['mac address', 'macaddress', 'mac addr', 'imei', 'imsi', 'device id', 'deviceid'],
    ...['serial number', 'serial no', 'idfa', 'advertising id', 'android id', 'device serial'],
  ],
  'vehicle-id': [
    'vin',
    'license plate',
    'licence plate',
    'plate number',
    'kennzeichen',
    'matricula',
  ],
  'birth-date': [
    ...['dob', 'date of birth', 'birth date', 'birthdate', 'birthday', 'birth day', 'born on'],
    ...['geburtsdatum', 'geburtstag', 'geb datum', 'date de naissance', 'naissance'],
    ...['fecha de nacimiento', 'nacimiento', 'fecha nacimiento', 'data de nascimento'],
    ...[
      'nascimento',
      'data di nascita',
      'nascita',
      'geboortedatum',
      'data urodzenia',
      'fodelsedatum',
    ],
  ],
  date: [
    ...['date of death', 'death date', 'admission date', 'date of admission', 'discharge date'],
    ...['date of discharge', 'date of service', 'service date', 'visit date', 'hire date'],
  ],
  address: [
    ...['address', 'addr', 'street', 'street name', 'house number', 'house no', 'apartment'],
    ...[
      'adresse',
      'anschrift',
      'strasse',
      'straße',
      'hausnummer',
      'direccion',
      'calle',
      'domicilio',
    ],
    ...['endereco', 'rua', 'indirizzo', 'adres', 'straat', 'rue', 'ulica', 'adress', 'gata'],
  ],
  postcode: [
    ...['zip', 'zipcode', 'zip code', 'post code', 'postcode', 'postal code', 'postalcode', 'plz'],
    ...['postleitzahl', 'code postal', 'codigo postal', '=cp', 'cep', 'cap code', 'postnummer'],
  ],
  coordinates: [
    ...['latitude', 'longitude', 'lat', 'lon', 'lng', 'gps', 'geo location', 'geolocation'],
    ...['coordinates', 'geocode'],
  ],
  account: [
    ...['username', 'user name', 'login', 'user id', 'userid', 'screen name', 'twitter', 'handle'],
    ...['password', 'passwd', 'secret', 'api key', '=url', 'profile url', 'homepage', 'website'],
    ...['linkedin', 'facebook', 'instagram', 'skype'],
  ],
  'record-id': [
    ...['uuid', 'guid', 'person id', 'personid', 'customer id', 'customerid', 'client id'],
    ...['clientid', 'employee id', 'employeeid', 'student id', 'studentid', 'subject id'],
    ...['subjectid', 'participant id', 'respondent id', 'household id', 'case number', 'case no'],
    ...['file number', 'certificate number', 'applicant id', 'loan id', 'application id'],
    ...['=id', 'row id', 'record id', 'kundennummer', 'personalnummer', 'matrikelnummer'],
  ],
  'free-text': [
    ...['note', 'notes', 'comment', 'comments', 'remark', 'remarks', 'free text', 'freetext'],
    ...['description', 'narrative', 'message', 'transcript', 'bemerkung', 'kommentar', 'notizen'],
    ...['commentaire', 'comentario', 'observaciones', 'biography', 'signature', 'photo', 'image'],
    ...['fingerprint', 'biometric'],
  ],
};

/** Words of a column's name: split at case and at whatever is no letter, lower-case, without accents and numbers. */
export const wordsOf = (column: string): readonly string[] =>
  plainText(column)
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((word) => word !== '');

interface Phrase {
  readonly class: PiiClass;
  readonly words: string;
  readonly joined: string;
  readonly alone: boolean;
}

const PHRASES: readonly Phrase[] = Object.entries(NAMES).flatMap(([name, phrases]) =>
  phrases.map((phrase) => {
    const words = wordsOf(phrase.replace(/^=/, ''));
    return {
      class: name as PiiClass,
      words: words.join(' '),
      joined: words.join(''),
      alone: phrase.startsWith('='),
    };
  }),
);

/** Words that turn an identifier into something about it: how many, whether there is one, of what kind. */
const ABOUT: ReadonlySet<string> = new Set([
  ...['count', 'counts', 'has', 'is', 'type', 'kind', 'verified', 'valid', 'flag'],
  ...['consent', 'optin', 'age', 'group', 'length', 'domain', 'provider', 'share', 'rate'],
]);

/** What a column holds by its name; null when the name says nothing. */
export const classOfColumn = (column: string): PiiClass | null => {
  const words = wordsOf(column);
  if (words.length === 0 || words.some((word) => ABOUT.has(word))) return null;
  const singular = words.map((word) => (word.length > 3 ? word.replace(/s$/, '') : word));
  const found = [words, singular].flatMap((forms) => {
    const spaced = ` ${forms.join(' ')} `;
    const joined = forms.join('');
    return PHRASES.filter(({ words: phrase, joined: one, alone }) =>
      alone ? one === joined : spaced.includes(` ${phrase} `) || (one.length > 4 && one === joined),
    );
  });
  // The longest says most: "email address" is an e-mail, not a street.
  return found.toSorted((a, b) => b.joined.length - a.joined.length)[0]?.class ?? null;
};
