import { describe, expect, it } from 'vitest';
import { classOfColumn, wordsOf } from './schema.ts';

describe('wordsOf', () => {
  it.each([
    ['FirstName', 'first name'],
    ['HOME_PHONE_2', 'home phone'],
    ['patientSSN', 'patient ssn'],
    ['SSNumber', 'ss number'],
    ['Prénom', 'prenom'],
    ['date-of-birth', 'date of birth'],
    ['ｅｍａｉｌ', 'email'],
  ])('%s', (column, words) => {
    expect(wordsOf(column).join(' ')).toBe(words);
  });
});

describe('classOfColumn', () => {
  it.each([
    ['name', 'person-name'],
    ['LastName', 'person-name'],
    ['patient_name', 'person-name'],
    ['Vorname', 'person-name'],
    ['apellidos', 'person-name'],
    ['email', 'email'],
    ['E-Mail Address', 'email'],
    ['еmаil', 'email'],
    ['home_phone_2', 'phone'],
    ['phoneNumber', 'phone'],
    ['SSN', 'national-id'],
    ['social_security_no', 'national-id'],
    ['drivers_license_number', 'national-id'],
    ['codiceFiscale', 'national-id'],
    ['MRN', 'health-id'],
    ['patient_id', 'health-id'],
    ['credit_card_number', 'card'],
    ['IBAN', 'bank-account'],
    ['accountNumber', 'bank-account'],
    ['client_ip', 'ip-address'],
    ['macAddress', 'device-id'],
    ['VIN', 'vehicle-id'],
    ['DOB', 'birth-date'],
    ['dateOfBirth', 'birth-date'],
    ['Geburtsdatum', 'birth-date'],
    ['admission_date', 'date'],
    ['street_address', 'address'],
    ['zip', 'postcode'],
    ['PLZ', 'postcode'],
    ['latitude', 'coordinates'],
    ['userName', 'account'],
    ['customer_id', 'record-id'],
    ['uuid', 'record-id'],
    ['notes', 'free-text'],
    ['doctor_comments', 'free-text'],
  ])('%s holds %s', (column, expected) => {
    expect(classOfColumn(column)).toBe(expected);
  });

  it.each(
    [
      ...['wage', 'education', 'experience', 'ethnicity', 'smsa', 'region', 'parttime'],
      ...['withholding', 'deny', 'pirat', 'hirat', 'lvrat', 'chist', 'mhist', 'phist', 'unemp'],
      ...['selfemp', 'insurance', 'condomin', 'afam', 'single', 'hschool', 'hours', 'mentor'],
      ...['gender', 'finished', 'age', 'ward', 'sex', 'days', 'age_group', 'race', 'religion'],
      ...['country', 'state', 'income', 'credit_score', 'loan_amount', 'loan_purpose', 'term'],
      ...[
        'account_type',
        'account_age',
        'phone_count',
        'has_phone',
        'email_verified',
        'product_name',
      ],
      ...['hospital_name', 'card_type', 'mobile_home', 'occupation', 'marital_status', 'diagnosis'],
      ...[
        'bmi',
        'smoker',
        'children',
        'charges',
        'tenure',
        'churn',
        'contract',
        'paperless_billing',
      ],
      ...[
        'relationship',
        'capital_gain',
        'workclass',
        'fnlwgt',
        'blood_pressure',
        'glucose',
        'shipment',
      ],
      ...[
        'latency',
        'platform',
        'equipment',
        'vintage',
        'dosage',
        'interest_rate',
        'species',
        'x1',
        'V17',
      ],
    ].map((column) => [column]),
  )('%s says nothing of who', (column) => {
    expect(classOfColumn(column)).toBeNull();
  });
});
