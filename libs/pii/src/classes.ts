/** What a value or a column says of whom, and how messages name it. */
export const PII_CLASSES = {
  'person-name': 'names of people',
  email: 'e-mail addresses',
  phone: 'phone numbers',
  'national-id': 'national or tax numbers of people',
  'health-id': 'health or patient numbers',
  card: 'payment card numbers',
  'bank-account': 'bank accounts',
  'ip-address': 'IP addresses',
  'device-id': 'numbers of devices',
  'vehicle-id': 'numbers of vehicles',
  'birth-date': 'dates of birth',
  date: 'dates to the day',
  address: 'street addresses',
  postcode: 'postcodes',
  coordinates: 'coordinates',
  account: 'user names, logins or web addresses with one',
  'record-id': 'ids of records',
  'free-text': 'free text',
} as const;

export type PiiClass = keyof typeof PII_CLASSES;
