import type { BlockedRow } from './mandate.ts';

/** What gives a text away, in the lower-case forms of {@link searchedForms}, or in the text as it stands. */
export interface Sign {
  readonly rule: BlockedRow | 'instructions';
  readonly sign: RegExp;
  /** Searched in the text as it was written, for what only capitals or signs tell. */
  readonly asWritten?: true;
}

const any = (...words: readonly string[]): string => `(?:${words.join('|')})`;

/** A person, in the singular; {@link PEOPLE} takes both. */
const PERSON = any(
  ...['person', 'applicant', 'borrower', 'patient', 'tenant', 'employee', 'customer', 'worker'],
  ...['candidate', 'client', 'debtor', 'student', 'prisoner', 'inmate', 'claimant', 'defendant'],
  ...['citizen', 'resident', 'renter', 'payer', 'smoker', 'user', 'consumer', 'policyholder'],
);
const PEOPLE = any(
  ...[`${PERSON}s?`, 'people', 'individuals?', 'men', 'women', 'those', 'them', 'him', 'her'],
  ...[
    '(?:the )?self-?employed',
    'the poor',
    'the elderly',
    'minorities',
    'graduates?',
    'immigrants?',
  ],
  ...['any(?:one|body)', 'every(?:one|body)', 'some(?:one|body)', 'no(?:body|-one)', 'whoever'],
);
/** What follows a word for people where it names a group of them. */
const NOT_A_GROUP =
  '(?![- ](?:groups?|cohorts?|segments?|populations?|pools?|class(?:es)?|shares?|rates?|types?|categor|levels?|base|counts?|mix|tenure|age|education|experience|sample|share))';
/** What is decided about a person. */
const CASE = any(
  ...['loans?', 'credits?', 'applications?', 'claims?', 'mortgages?', 'leases?', 'requests?'],
  ...['insurance', 'treatment', 'bail', 'parole', 'visas?', 'benefits?'],
);
const RECORD = any('rows?', 'records?', 'entr(?:y|ies)', 'data ?points?', 'files?', 'cases?');

const NUMBER_WORD = any(
  ...['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven'],
  ...['twelve', '\\w+teen', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty'],
  ...['ninety', 'hundred', 'thousand'],
);

/** Up to so many words between two. */
const gap = (words: number): string => `(?:[\\w%'-]+ ){0,${words}}?`;
const the = '(?:the|this|that|these|those|any|all|every|each|such|an?|more|our|your|his|her|their)';
/** Where a sentence that commands begins. */
const START =
  "(?:^|[.;:!?] ?|, ?(?:then|so) |\\b(?:then|please|always|never|just|simply|therefore|do not|don'?t|must|should|shall|let us|let'?s|ought to|(?:need|needs|have|has) to) (?:not |always |only |also )?)";
const MODAL =
  '(?:should|must|ought to|shall|needs? (?:to|not)|ha(?:s|ve) to|had better|(?:is|are) to)(?: (?:not|never|always|only|also))?';
/** What a model's numbers should do, rather than people with people. */
const STATISTICAL = `(?! (?:be|become|get|stay|remain|have|show|differ|predict|separate|explain|describe|help|matter|rise|fall|grow|score|rank|make up|form|look|follow|behave|see|benefit|gain|overlap|dominate|cluster|carry|add|contribute)\\b(?! (?:paid|denied|approved|rejected|hired|fired|refused|evicted|dismissed|granted|admitted|excluded|discharged|turned|given|offered|charged|declined|no |their |treated|leave|promoted|penali|sacked|laid|a (?:loan|mortgage|raise|job)|the (?:loan|mortgage|job)|credit)))`;

const DECIDED = any(
  ...['denied', 'approved', 'hired', 'fired', 'evicted', 'declined', 'laid off', 'promoted'],
  ...[
    'arrested',
    'jailed',
    'deported',
    'expelled',
    'blacklisted',
    'turned (?:down|away)',
    'let go',
  ],
);
const DECIDED_OF_PEOPLE = any(
  DECIDED,
  ...['rejected', 'refused', 'dismissed', 'granted', 'admitted', 'excluded', 'discharged', 'paid'],
  ...['charged', 'offered', 'given', 'accepted', 'demoted', 'suspended', 'penali[sz]ed', 'treated'],
  ...['released', 'sentenced', 'insured', 'terminated', 'favou?red', 'prioriti[sz]ed', 'sacked'],
);
const DECIDE = any(
  ...['approve', 'deny', 'reject', 'decline', 'hire', 'fire', 'dismiss', 'evict', 'admit', 'grant'],
  ...['refuse', 'accept', 'promote', 'demote', 'terminate', 'lay off', 'sack', 'expel', 'arrest'],
  ...['detain', 'discharge', 'insure', 'charge', 'pay', 'penali[sz]e', 'exclude', 'ban', 'offer'],
  ...[
    'turn down',
    'turn away',
    'blacklist',
    'shortlist',
    'suspend',
    'deport',
    'sentence',
    'release',
  ],
  ...['lend(?: money)? to', 'prioriti[sz]e', 'employ', 'cut off', 'downgrade', 'upgrade'],
);

const ENTITY = any(
  ...['branch(?:es)?', 'stores?', 'compan(?:y|ies)', 'firms?', 'banks?', 'lenders?', 'landlords?'],
  ...['employers?', 'schools?', 'hospitals?', 'agenc(?:y|ies)', 'cit(?:y|ies)', 'councils?'],
  ...[
    'governments?',
    'regulators?',
    'departments?',
    'offices?',
    'managers?',
    'management',
    'teams?',
  ],
  ...[
    'depots?',
    'warehouses?',
    'shops?',
    'plants?',
    'factor(?:y|ies)',
    'clinics?',
    'business(?:es)?',
    'vendors?',
  ],
  ...[
    'insurers?',
    'districts?',
    'municipalit(?:y|ies)',
    'ministr(?:y|ies)',
    'boards?',
    'officials?',
  ],
  ...['polic(?:y|ies) ?makers?', 'officers?', 'doctors?', 'universit(?:y|ies)', 'states?'],
);
/** What is moved in the world, and is in no model. */
const WORLDLY = any(
  ...[
    'rents?',
    'wages?',
    'salar(?:y|ies)',
    'prices?',
    'premiums?',
    'interest(?: rates?)?',
    'fees?',
  ],
  ...[
    'fines?',
    'tax(?:es)?',
    'quotas?',
    'lending',
    'credit limits?',
    'staff',
    'bonus(?:es)?',
    'pay',
  ],
  ...['housing', 'loans?', 'buildings?', 'hiring', 'subsid(?:y|ies)'],
);
const ACTION = any(
  ...['rais(?:e|ing)', 'lower(?:ing)?', 'cut(?:ting)?', 'increas(?:e|ing)', 'reduc(?:e|ing)'],
  ...[
    'clos(?:e|ing)',
    'open(?:ing)?',
    'hir(?:e|ing)',
    'fir(?:e|ing)',
    'offer(?:ing)?',
    'buy(?:ing)?',
  ],
  ...['approv(?:e|ing)', 'deny(?:ing)?', 'tighten(?:ing)?', 'relax(?:ing)?', 'stop(?:ping)?'],
  ...[
    'start(?:ing)?',
    'bann?(?:ing)?',
    'pay(?:ing)?',
    'mov(?:e|ing)',
    'invest(?:ing)?',
    'sell(?:ing)?',
  ],
  ...['target(?:ing)?', 'expand(?:ing)?', 'lend(?:ing)?', 'build(?:ing)?', 'charg(?:e|ing)'],
  ...['chang(?:e|ing)', 'subsidi[sz](?:e|ing)', 'admit(?:ting)?'],
);

const FINDING = any(
  ...['findings?', 'results?', 'models?', 'scores?', 'predictions?', 'rules?', 'thresholds?'],
  ...['patterns?', 'cut-?offs?', 'outputs?', 'rankings?', 'trends?', 'estimates?', 'it', 'this'],
);
const DECISION =
  '(?:decisions?|decid(?:e|ing)|approv\\w+|denials?|denying|hiring|lending|pricing|underwriting|admissions?|admitting|recruit\\w+|sentenc\\w+|triage|eligibility|production|practice|operations?|collections?|polic(?:y|ies)|loan officers?)';
const TO_PEOPLE = `(?:select|screen|pick|choose|rank|prioriti[sz]e|reject|approve|deny|hire)(?:ing)? ${gap(2)}(?:${PEOPLE}|${CASE}|${ENTITY})\\b`;
const TRADE =
  '(?:lending|hiring|credit|loan|admission|pricing|underwriting|clinical|business|company|compensation|insurance|rental|parole|medical)';

/** What is of a model: a sentence about it commands nobody in the world. */
const OF_A_MODEL =
  '(?:bins?|binned|cohorts?|groups?|dimensions?|labels?|weights?|terms?|features?|parameters?|interactions?|cells?|level|categor\\w+|model|pairs|splits?|epochs?|effect|rates?|shares?|trend|fit|cut|units?|shrinkage|step|layers?|log-loss)';
/** Verbs that command, at the start of a sentence that speaks of people or of what they have. */
const COMMAND = any(
  ...[
    'give',
    'keep',
    'make',
    'have',
    'let',
    'raise',
    'open',
    'start',
    'stop',
    'invest',
    'consider',
  ],
  ...['take', 'put', 'leave', 'move', 'favou?r', 'prefer', 'avoid', 'punish', 'reward', 'help'],
  ...[
    'support',
    'protect',
    'prevent',
    'require',
    'force',
    'ask',
    'order',
    'allow',
    'fund',
    'build',
  ],
  ...['provide', 'withhold', 'demand', 'treat', 'shift', 'cancel', 'end', 'limit', 'encourage'],
  ...['fix', 'warn', 'spend', 'press', 'focus', 'watch', 'select', 'choose', 'pick', 'turn'],
);
const WISE =
  '(?:wise|best|better|advisable|prudent|fair|right|reasonable|necessary|sensible|smart|good|justified|safe|legitimate|ok(?:ay)?|time)';
const JOB = any('jobs?', 'branch(?:es)?', 'polic(?:y|ies)', 'promotions?', 'raises?', 'rewards?');

/** Not what the text says it does without. */
const UNDENIED =
  '(?<!\\b(?:no|not|never|without|than|nor|instead of|avoids?|excludes?) (?:\\w+ )?)';

const individualRecords: readonly string[] = [
  // A row or a person by number, in figures or words.
  `\\b(?:rows?|records?|${PERSON}|individual|zeile|ligne|fila|registro|datensatz)(?: (?:#|no\\.?|nr\\.?|number|id|nummer|numero))? ?[#:=]? ?(?:\\d+\\b(?! ?%| or (?:older|more|over|under|younger)|\\.\\d)|${NUMBER_WORD}\\b(?! (?:in|of|out)\\b)(?! more\\b))`,
  `\\b(?:line|entry|case|file|sample|observation|loan|account|application|user|client|id)(?: (?:no\\.|nr\\.|number|id))? ?# ?\\d+|\\b(?:entry|case|file|sample|observation|loan|account|application|id) (?:no\\.?|nr\\.?|number|id) ?[:=]? ?\\d+`,
  `\\b(?:whose|with(?: the)?|by(?: the)?) (?:row )?id (?:is|of|=)`,
  // Data of single people.
  `${UNDENIED}\\b(?:individual|raw|single|unaggregated|disaggregated|person|row|record|patient|customer)(?:[- ]level)? ?-?(?:rows?|records?|cases?|entries|microdata|data)\\b(?! of the cohort table)`,
  `${UNDENIED}\\bmicrodata\\b`,
  `\\b[\\w.+-]+@[\\w-]+\\.\\w+|\\b\\d{3}-\\d{2}-\\d{4}\\b|(?<![\\d.])\\d{9,}(?![\\d.])`,
  `\\b(?:names? and (?:home )?address|(?:home|street|postal|e-?mail) address|phone numbers?|social security|passport n|dates? of birth|birth ?dates?|ssn\\b)`,
  `\\blist (?:of )?the names\\b|\\b(?:the|their|by|with) names of (?:those|the|people|all)`,
  `\\b(?:re-?identif|de-?anonymi|unmask|doxx?)`,
  // Looking at somebody.
  `\\b(?:score|assess|evaluate|rate|rank|judge|inspect|examine|review|audit|look (?:at|up|into)|check|predict|flag|grade|single out|pick out|identify|find|profile|track|trace|monitor|classify|investigate)(?:s|es|ed|ing)? ${gap(4)}(?:each|every|single|individual|specific|particular|this|that|named|certain)(?: (?:of )?(?:one|the|single|specific|individual|particular))? ?(?:\\w+ )?(?:${PERSON}s?|people|individuals?|${RECORD})\\b${NOT_A_GROUP}`,
  `\\b(?:individual|specific|particular) (?:${PERSON}s?|people)\\b${NOT_A_GROUP}`,
  `\\b(?:this|a single|one single|one particular|a particular|a specific|a certain|a named) (?:\\w+ )?(?:${PERSON}|individual)\\b${NOT_A_GROUP}`,
  `\\b(?:about|of|for|to|at|on|with|from) that ${PERSON}\\b${NOT_A_GROUP}`,
  `\\b(?:which|what) (?:one )?(?:${PERSON}|individual) (?:is|was|has|had|stands|lies|drives)`,
  `\\b(?:the|an?) (?:${PERSON}|individual|man|woman) (?:whose|named|called|behind|known as|with (?:the )?(?:id|ssn|number|name)|living at|in row)`,
  `\\b(?:first|second|third|last|\\d+(?:st|nd|rd|th)|oldest|youngest|richest|poorest|only|sole) (?:${PERSON}|individual|rows?|records?)\\b${NOT_A_GROUP}`,
  `\\b(?:mislabel+ed|outlying|suspicious|odd) (?:${PERSON}|${RECORD})\\b`,
  `\\bpersonal (?:data|information|details|records?|histor)|\\b(?:people|persons?|someone|somebody|who (?:is|sits|stands|lives|was)) (?:is |are )?(?:behind|in|inside) (?:the |this |that )?(?:\\w+ )?(?:cell|row|record)s?\\b`,
  `${START}(?:print|show|display|dump|output|export|extract|pull up|reveal|return|list|fetch|retrieve|get|see|give me|tell me|sort) ${gap(5)}(?:rows?|records?|names|people|persons?|individuals?|${PERSON}s?|who)\\b${NOT_A_GROUP}`,
  `\\b(?:score|risk|grade|probabilit(?:y|ies)|rating|predictions?) (?:for|to|of) (?:each|every|single|any|one) (?:${PERSON}|individual)\\b|\\b(?:give|assign)s? (?:each|every) (?:${PERSON}|individual)\\b`,
  `\\b\\d+ [a-z]+ (?:street|road|avenue|lane|drive|boulevard)\\b|\\b(?:find|locate|trace) (?:her|him|them|out who)\\b`,
  `\\b(?:see|want|need|study|examine) (?:single|individual) (?:persons?|people)`,
  `\\b(?:the|a|that|this) (?:man|woman|guy|lady|girl|boy)\\b|\\b(?:my|our|your) (?:\\w+ )?(?:boss|neighbou?r|colleague|friend|wife|husband|mother|father|brother|sister|tenant|patient|client)\\b`,
  `\\b(?:her|his) (?:own )?(?:applications?|loans?|incomes?|wages?|pay|files?|records?|cases?|scores?|history|ratio|data|education|job)\\b`,
  `\\b(?:rows?|records?) with the (?:highest|lowest|largest|smallest|most|least|odd)|\\bpersonal (?:score|risk|rating|prediction)`,
  `\\b(?:each|every) (?:${PERSON}|individual) (?:gets?|has|is|receives?|should|must|will|can|needs?)\\b`,
  `\\b(?:give|show|see|know|with|want|need) (?:me |us )?(?:the |their |all )?(?:real |full )?names\\b`,
  // German, French, Spanish.
  `\\beinzel(?:daten|person|falle|faelle|datens)|\\bjeden? einzelnen|\\b(?:rohdaten|datensatze)\\b.*\\bperson`,
  `\\b(?:chaque|cette?|un seul) (?:emprunteur|demandeur|candidat|client|patient|locataire|personne|employe)|\\bdonnees individuelles`,
  `\\b(?:a )?cada (?:solicitante|prestatario|cliente|paciente|candidato|persona|empleado|inquilino)|\\bdatos individuales`,
];

const individualDecisions: readonly string[] = [
  `${START}${DECIDE} (?:${the} )?(?:of )?${gap(4)}${PEOPLE}\\b${NOT_A_GROUP}`,
  `${START}(?:${DECIDE}|give|extend|offer) (?:${the} )?${gap(3)}${CASE}\\b(?! (?:rates?|shares?|decisions?|cohorts?|were|are|is|have|had|go|cluster|with lower|with higher))`,
  `${START}(?:hire|fire|deny|approve|evict|reject|accept|admit|promote) (?:her|him|them|it)\\b`,
  // Subject: people, with what tells them apart, and then what should become of them.
  `(?<!per )\\b(?:${PEOPLE}|${CASE})(?: (?:who|whom|that|whose|with|without|in|from|of|at|on|over|under|above|below|aged|having|earning)\\b(?:[^.,;]|[.,]\\d){0,80}?)?,? ${MODAL} be (?:${DECIDED_OF_PEOPLE})(?!(?: higher| lower)? (?:cohort|weight|bin|group|dimension|term))\\b`,
  `(?<!per )\\b(?:${PERSON}s?|people|individuals?)(?: (?:who|whom|that|whose|with|without|in|from|of|at|on|over|under|above|below|aged|having|earning)\\b(?:[^.,;]|[.,]\\d){0,80}?)?,? ${MODAL} (?:not )?(?:get|receive|leave|lose|pay|repay|vacate|accept|sign|quit|resign)\\b`,
  `(?<!per )\\b${PEOPLE} ${MODAL} (?:get|receive|have) (?:the|an?|no|less|more|fewer) (?:${CASE}|${JOB}|pay|money|service|care|support)\\b`,
  `\\b${MODAL} (?:be|get) ${DECIDED}\\b`,
  `\\b(?:is|are) to be ${DECIDED}\\b|\\b${PEOPLE}\\b[^.;]{0,60}\\b(?:do not|does not|don't|hardly|never) (?:deserve|merit)\\b|\\b${PEOPLE}\\b[^.;]{0,40}\\bdeserves? (?:to|no|a|the)\\b`,
  `\\b(?:justif(?:y|ies)|warrants?|supports?|permits?|allows?|calls? for|means? that we (?:can|should)) (?:the )?(?:${DECIDE}|denying|rejecting|refusing|hiring|firing|evicting|excluding|approving|paying|charging|declining|dismissing|promoting)(?: of)? ${gap(3)}(?:${PEOPLE}|${CASE})\\b`,
  `\\b(?:would|will|is|'s|be|policy is|thing is|do well|want|free|encouraged|advised|able|can|may|could|might) (?:be |safely |simply |not |a )*(?:${WISE} )?(?:idea )?(?:to |for \\w+ to )?${DECIDE} (?:${the} )?${gap(3)}(?:${PEOPLE}|${CASE})\\b${NOT_A_GROUP}`,
  `${START}${COMMAND} (?:${the} )?${gap(4)}(?:${PEOPLE}|${CASE}|${JOB})\\b${NOT_A_GROUP}(?![^.;]*\\b${OF_A_MODEL}\\b)`,
  `\\b${MODAL} ${DECIDE} (?:${the} )?${gap(3)}(?:${PEOPLE}|${CASE})\\b${NOT_A_GROUP}`,
  `\\b(?:the|this|that|an?) (?:${PERSON}|individual) (?:is|was|would be|seems) (?:not |very |too |an? )?(?:eligible|ineligible|credit ?worthy|qualified|unqualified|unfit|fit for|guilty|unsuitable|suitable|good risk|bad risk|high[- ]risk|low[- ]risk|a risk|lying|dangerous)`,
  `\\bsay (?:no|yes) to (?:${the} )?${gap(2)}(?:${PEOPLE}|${CASE})\\b|\\b${PEOPLE}\\b[^.;]{0,50}\\b(?:have no claim|do not belong|have no right|have no business|are not worth|are not wanted|are unwelcome)|\\baward (?:the )?(?:contract|job|grant|prize|loan)`,
  `\\b(?:turn|send|lay|let|throw) (?:such|these|those|all|the|any|part-?time) (?:\\w+ )?(?:${PEOPLE}) (?:away|down|off|go|out)\\b`,
  `\\b(?:it follows|this means|which means|so|hence|therefore) (?:that )?(?:the )?${gap(3)}(?:${PEOPLE}|${CASE})\\b [^.;]{0,30}\\b${MODAL}${STATISTICAL} `,
  `\\b(?:should|must|may|can|could|shall) (?:we|i|you|they|one|(?:the )?(?:banks?|lenders?|employers?|landlords?)) (?:not )?${DECIDE} (?:${the} )?${gap(3)}(?:${PEOPLE}|${CASE})\\b|\\bwhom? (?:should|must|shall|can) (?:we|i|you|they|the \\w+) ${DECIDE}\\b`,
  // German.
  `\\b(?:lehnen sie|lehne|lehnt|genehmigen sie|genehmige|entlassen sie|entlasse|stellen sie|kundigen sie|befordern sie|bewilligen sie)\\b.*\\b(?:antrag|bewerber|kunde|kredit|patient|mitarbeiter|mieter|person|arbeitnehmer)`,
  `\\b(?:antrage?|antragsteller\\w*|bewerber\\w*|kund\\w+|kredit\\w*|patient\\w*|mitarbeiter\\w*|mieter\\w*|arbeitnehmer\\w*)\\b[^.]*\\b(?:soll(?:te|ten|en)?|muss|mussen|durfen? nicht|ist|sind)\\b[^.]*\\b(?:abzulehnen|abgelehnt werden|abgelehnt$|genehmigt werden|entlassen werden|eingestellt werden|bewilligt werden|gekundigt werden|befordert werden)`,
  // French.
  `${START}(?:refuse[rz]?|rejete[rz]|approuve[rz]|accorde[rz]|embauche[rz]|licencie[rz]|expulse[rz]|accepte[rz]) (?:le|la|les|l'|ce|cet|cette|ces|tou\\w+|un|une)`,
  `\\b(?:doi(?:t|vent)|devrai(?:t|ent)|faut)\\b[^.]*\\b(?:refuse|rejete|approuve|accorde|embauche|licencie|expulse)e?s?\\b`,
  // Spanish.
  `${START}(?:denegar|deniegue[n]?|deniega|rechazar|rechace[n]?|aprobar|apruebe[n]?|contratar|contrate[n]?|despedir|despida[n]?|desalojar|desaloje[n]?|conceder|conceda[n]?) (?:a |al |el |la |los |las |este|esta|estos|un|tod)`,
  `\\b(?:deben?|deberian?|hay que|tienen? que)\\b[^.]*\\b(?:denega|rechaza|aproba|contrata|despedi|desaloja|concedi)d[oa]s?\\b`,
];

const specificRecommendations: readonly string[] = [
  `\\b(?:recommend|advis|urg|advocat)(?:e|es|ed|s|ing|ation)?\\b[^.;]{0,60}?\\b(?:${ENTITY}|${WORLDLY}|${PERSON}s?|${ACTION} (?:in|at) the)\\b${NOT_A_GROUP}`,
  `(?:^|[.;:!?] ?|\\b(?:i|we|would|strongly|hereby) )(?:suggest|propose)\\b (?:that )?${gap(6)}${ACTION} ${gap(5)}(?:${ENTITY}|${WORLDLY}|${PEOPLE})\\b`,
  `\\b(?:i|we) (?:suggest|propose) that (?:${the} )?${gap(2)}(?:${ENTITY}|${PERSON}s?)\\b${NOT_A_GROUP}(?! (?:dimension|column|term|bins?))${STATISTICAL} \\w+`,
  `\\b(?:this|it|that|which) suggests? ${ACTION} (?:the )?${gap(2)}(?:${ENTITY}|${WORLDLY}|limits?)\\b(?! (?:of|on|for) (?:the )?(?:epochs?|steps?|iterations?|depth|weights?|gradients?|learning))`,
  `(?:^|[.;!?] ?)(?:our |my |the )?(?:recommendations?|advice|action plan|call to action|policy recommendation)\\b(?:[^.;]{0,40}?\\b(?:is|are|to)\\b|:)`,
  `\\b(?:best |next |right )?(?:courses? of action|next steps?|action plan|way forward) for (?:the|this|that|these|our) ${gap(2)}(?:${ENTITY}|${PERSON}s?)\\b`,
  `\\b${ENTITY}(?: (?:of|in|with|at|from)\\b[^.,;]{0,40}?)? ${MODAL}${STATISTICAL} \\w+`,
  `${START}(?:raise|increase|reduce|cut|double|halve|freeze|slash|cap|lift)(?! in\\b) (?:${the} )?${gap(2)}${WORLDLY}\\b(?! (?:shares?|rates?|cohorts?|bins?|cuts?|terms?))`,
  `${START}(?:lower|close|open|shut|tighten|relax|sell|buy|relocate|expand|move|merge|inspect|target) (?:the|this|that|these|those|all|its|their|his|her|our) ${gap(2)}(?:${WORLDLY}|${ENTITY}|${PEOPLE})\\b(?! (?:dimension|column|bins?|term|cohorts?))`,
  `${START}(?:tighten|relax|stop|start|expand|resume|end|limit) (?:the )?(?:lending|hiring|credit|loans|leasing|recruit\\w+)\\b`,
  `${START}(?:contact|call|notify|warn|visit|e-?mail|phone|inform|investigate|sue|inspect|fine|penali[sz]e|subsidi[sz]e) (?:${the} )?${gap(2)}(?:${ENTITY}|${PEOPLE})\\b`,
  `${START}send ${gap(3)}(?:inspectors?|letters?|offers?|notices?|staff|money|help)\\b|${START}target ${PEOPLE}\\b ${gap(3)}with\\b`,
  `${START}${COMMAND} (?:${the} )?${gap(4)}(?:${ENTITY}|${WORLDLY})\\b(?![^.;]*\\b${OF_A_MODEL}\\b)`,
  `\\b${ENTITY}\\b[^.;]{0,40}\\b(?:(?:is|are) (?:well )?(?:advised|urged|encouraged|told|asked|invited|free)|would do well|might want|may want|could consider|had best) to\\b`,
  `\\b(?:would|will|is|be) (?:be )?(?:${WISE}) (?:idea )?(?:to|for|that|if) [^.;]{0,50}\\b(?:${ENTITY}|${WORLDLY})\\b`,
  `${START}consider ${ACTION}\\b [^.;]{0,30}\\b(?:${ENTITY}|${WORLDLY}|${PEOPLE})\\b`,
  `\\b${ENTITY}(?: (?:of|in|with|at|from)\\b(?:[^.,;]|[.,]\\d){0,40}?)? (?:can|could|will|would|may|might|needs?)${STATISTICAL} (?!be seen|be told|be found)(?:now |also |safely )?(?!not )\\w+|\\b${ENTITY} (?:is|are|were) (?:better off|right to|wrong to|free to|well off to|at fault)`,
  `\\b${WORLDLY} (?:floors? |caps? |limits? |schedules? )?${MODAL} (?:go (?:up|down)|be (?:raised|lowered|cut|increased|reduced|frozen|capped|abolished|doubled|halved))\\b`,
  `\\b(?:our|my|the|one) (?:suggestion|recommendation|advice|proposal|message|plea) (?:for|to) (?:the |an? |all )?(?:${ENTITY}|${PERSON}s?|everyone)\\b|\\b(?:mayors?|ministers?|senators?|presidents?|directors?|ceos?) ${MODAL}\\b`,
  // German, French, Spanish.
  `\\b(?:wir|ich) (?:empfehlen|empfehle|raten|rate|schlagen|schlage)\\b|\\b(?:die|der|das) (?:bank|arbeitgeber|vermieter|stadt|regierung|firma|filiale|behorde|klinik) (?:sollte|soll|muss|musste)\\b`,
  `\\b(?:nous|je) (?:vous )?(?:recommand|conseill)\\w+|\\b(?:la|le|l'|les) ?(?:banque|employeur|proprietaire|agence|entreprise|ville|gouvernement|hopital)s? (?:devrai|doi)\\w+`,
  `\\b(?:recomendamos|recomiendo|aconsejamos|aconsejo|sugerimos|sugiero)\\b(?! una? (?:curva|cohorte|interaccion))|\\b(?:el|la|los|las) (?:bancos?|empleador\\w*|propietari\\w+|agencia|empresa|ciudad|gobierno|hospital) (?:debe|deberia|tiene que)\\w*`,
];

const appliedFindings: readonly string[] = [
  `\\b(?:apply|use|deploy|adopt|enforce|implement|operationali[sz]e|employ|utili[sz]e|feed|integrate|embed|plug|put)(?:s|d|ed|ing)? (?:${the} )?${gap(2)}${FINDING}\\b ${gap(3)}(?:to|for|in|into|when|as|on|at) ${gap(3)}${DECISION}\\b(?! (?:in the data|rates?|thresholds?))`,
  `\\b(?:apply|use|deploy|adopt|employ|utili[sz]e)(?:s|d|ed|ing)? (?:${the} )?${gap(2)}${FINDING}\\b ${gap(2)}(?:to|for|in|when) ${gap(1)}${TO_PEOPLE}`,
  `\\b(?:be|being) (?:used|applied|deployed|adopted|enforced|implemented) ${gap(3)}(?:to|for|in|as|when) ${gap(3)}${DECISION}`,
  `${START}(?:implement|act on|follow|enforce|operationali[sz]e|deploy|roll out) (?:the|these|this|our|its) (?:new )?(?:${FINDING}|recommendations?)\\b`,
  `\\b(?:put|bring|take) (?:${the} )?(?:new )?${FINDING} (?:in ?to|live|to) ?(?:production|practice|effect|use|force|policy|market)?\\b|\\b(?:go(?:es|ing)?|went) live\\b|\\broll(?:s|ed|ing)? ?out (?:the|this|our)\\b`,
  `\\bact(?:s|ing)? (?:up)?on (?:the|these|this|our)\\b`,
  `\\bbase (?:the |all |our |their )?${gap(2)}${DECISION} (?:up)?on\\b|\\b${DECISION} ${MODAL} be (?:based|made|built|taken)\\b`,
  `${START}decide (?:on |about )?(?:the |all )?(?:${CASE}|who|whom|whether to|${PEOPLE})\\b|\\bfor deciding (?:on|about|who)\\b`,
  `\\blet (?:the|this|our) (?:${FINDING}) (?:decide|determine|choose|select|set)\\b`,
  `${START}automat(?:e|ing) (?:the )?(?:decision|approval|lending|hiring|underwriting|triage|denial|admission)`,
  `${START}(?:make|take|drive|guide) (?:the |all |better )?(?:${TRADE} )?decisions? ${gap(3)}(?:from|by|with|based|using)\\b`,
  `\\b(?:should|must|can|could|will|may|to) (?:inform|guide|drive|determine|support|replace|shape) (?:the )?${gap(2)}(?:${DECISION}|${TRADE})\\b`,
  `${START}replace (?:the )?(?:${TRADE} )?(?:officers?|staff|doctors?|reviewers?|judges?|humans?)\\b`,
  `${START}(?:set|price|fix) (?:the |their |all )?${WORLDLY} (?:by|with|from|using|according)\\b|${START}price (?:insurance|loans?|policies)\\b`,
  `\\b(?:new|official|standard|company|binding) ${TRADE} (?:rule|policy|standard|criterion|criteria|threshold)|\\b(?:in ?to|as) (?:an? |the )?(?:new )?(?:${TRADE} )(?:rule|policy|standard|criteri)`,
  `${START}(?:ship|launch|release|productioni[sz]e|deliver|activate|switch on|turn on|hand over) (?:the|this|our|these) (?:${FINDING})\\b|\\bturn (?:the|this|our) model on\\b|\\b(?:ready|good enough|accurate enough) (?:to|for) (?:be )?(?:${DECIDE}|${DECISION}|used|deployed|screen|select)\\b`,
  `\\b(?:apply|us|deploy|start us)ing (?:the|this|these|our) (?:${FINDING}) (?:to|on|for|in) (?:new|real|actual|incoming|future|live|current) \\w+|\\b(?:new|real|incoming|future|live) (?:customers|applicants|applications|cases|clients|patients|borrowers)\\b[^.;]{0,30}\\b(?:model|scores?|predictions?)`,
  `\\b(?:use|using|apply|take|treat) [^.;]{0,50}\\b(?:for|in|as) (?:an? |the |our )?(?:${TRADE} )(?:approvals?|denials?|decisions?|offers?|screening|selection|standards?|committees?)\\b`,
  `\\b(?:underwriters?|officers?|judges?|doctors?|clinicians?|lenders?|banks?|employers?|landlords?|recruiters?|managers?)\\b[^.;]{0,20}\\b(?:can|may|could|should|will) (?:now |safely )?(?:rely on|use|trust|apply|follow|adopt)\\b|\\b(?:hand|give|send|pass) (?:the|these|this) (?:${FINDING}) to (?:the )?(?:underwriters?|officers?|judges?|doctors?|lenders?|banks?|employers?)`,
  `${START}let (?:the |all )?(?:\\w+ )?decisions? (?:follow|rest|depend|be)\\b|\\bmodel (?:replaces|will replace|should replace) (?:the )?(?:officers?|staff|doctors?|judges?|humans?|reviewers?)`,
  `\\b(?:as|is|be|it) (?:already )?(?:accepted|approved)\\b[^.;]{0,30}\\b(?:accepted line|move|merge|publish)`,
  `\\boverrid(?:e|es|ing) (?:the |this |that |a )?${gap(2)}(?:decisions?|officers?|doctors?|reviewers?|verdicts?|judges?|gates?|humans?)\\b`,
  `${START}(?:accept|approve|publish|ratify|sign off|merge|certify) (?:on )?(?:this|the|my|our|these|all|every) (?:\\w+ )?(?:findings?|results?|mutations?|runs?|verdicts?)\\b|\\bmark (?:this|the|it|my) ?\\w* as (?:accepted|verified|approved|passed)`,
  `\\b(?:we|one|you|they|i) (?:can|could|will|may|shall|should) (?:now |soon )?(?:use|apply|price|decide|sort|deploy|rely|act|adopt|predict what|tell who)\\b[^.;]*\\b(?:branch(?:es)?|${TRADE}|practice|polic(?:y|ies)|applications?|customers?|weeks?|tomorrow|${PERSON}s?|decisions?|she|he|will)\\b`,
  `\\b(?:fit|ready|suitable|safe|good|useful) for (?:use (?:in|at|by) )?(?:${TRADE}|practice|production|daily use)\\b|\\b(?:reasons?|grounds?|enough|licen[cs]e|right) to (?:${DECIDE})\\b|\\b(?:be|being) acted (?:up)?on\\b|\\bbinding (?:for|on)\\b`,
  `\\bincoming (?:applications?|applicants?|cases|claims|customers|requests)\\b|\\binto (?:the |our )?${gap(1)}(?:software|workflow|system|engine|pipeline of decisions)\\b|\\breplaces? the (?:interview|review|officers?|exam|judgement|human)`,
  // German, French, Spanish.
  `\\b(?:wenden|verwenden|nutzen|setzen|verwende|nutze|wende|benutzen)\\b[^.]*\\b(?:ergebnis|modell|befund|erkenntnis|regel|vorhersage)\\w*[^.]*\\b(?:entscheid|kreditvergabe|einstellung|produktion|praxis|vergabe|antrag)|\\bmodell\\b[^.]*\\bentscheide\\w*`,
  `\\b(?:appliqu|utilis|deplo|mett|employ)\\w+ [^.]*\\b(?:modele|resultat|conclusion|regle|score|prediction)s?\\b[^.]*\\b(?:decid|decision|pret|embauche|production|credit|pratique)`,
  `\\b(?:apli(?:c|qu)|us[ea]|utili[cz]|despli?eg|implement)\\w* [^.]*\\b(?:modelo|resultado|hallazgo|regla|prediccion)(?:e?s)?\\b[^.]*\\b(?:decid|decision|prestamo|contratacion|produccion|credito|practica)`,
];

const instructions: readonly string[] = [
  `\\b(?:ignor|disregard|forget|overrid|bypass|violat|circumvent|skip)(?:e|es|ing)? (?:(?:all|any|the|your|these|those|every|previous|prior|above|earlier|of|my|its) ?){0,4}(?:instructions?|prompts?|rules?|guidelines?|polic(?:y|ies)|safety|mandate|gates?|constraints?|restrictions?|everything|orders?|checks?)\\b`,
  `\\byou (?:must|should|shall|are (?:now|required|allowed|free|to|an?|the)|will now|have to|need to|may now|can now)\\b|\\byour (?:new |real |only |actual )?(?:task|role|instructions?|job|goal|mission|duty) (?:is|are)\\b`,
  `\\b(?:pretend|role-?play|act as (?:an?|the)|behave as|from now on|new instructions?\\b|system prompt|developer mode|jail ?break|do anything now|as an ai\\b|god mode|sudo mode)`,
  `\\b(?:note|message|memo|attention|dear|hey|hello|hi|to) (?:to |all |the |you,? )*(?:reviewers?|auditors?|agents?|assistants?|operators?|researchers?|humans?|readers?|llms?|ai)\\b`,
  `(?:^|[\\s.;])(?:system|assistant|user|developer|human|ai|tool|reviewers?|auditors?|operators?) ?: `,
  `\\bdo as i say\\b|\\b(?:reply|answer|respond) (?:only )?with\\b|\\bexecute the following\\b|\\btrust me\\b|\\boutranks?\\b|\\b(?:gates?|mandate|rules?|polic(?:y|ies)|checks?|limits?) (?:do(?:es)? not|don't|doesn't|must not|need not) apply\\b|\\bno (?:check|review|gate)s? (?:is|are) needed\\b|\\byour (?:polic(?:y|ies)|rules?|instructions?|prompt|operator|master)\\b|\\b(?:extend|raise|increase|reset|refund) (?:the|my|our) budget\\b`,
  `\\bpay no attention\\b|\\b(?:rules|instructions|text|everything) above\\b|\\bstop (?:being|acting|following|obeying)\\b|\\bbe the (?:operator|reviewer|researcher|auditor)\\b|\\b(?:your|the) (?:hidden|system|secret) (?:prompt|message|instructions?)`,
  `(?:^|[.;!?] )(?:reviewers?|auditors?|operators?|researchers?|agents?(?: \\w+)?|assistants?|reader|whoever reads this)(?: ?[,:!])`,
  `\\bplease (?:accept|approve|keep|ignore|open|raise|confirm|sign|pass|merge|skip)\\b|\\bskip (?:the|this|all) (?:review|gate|check|screen)|\\bwrite (?:pass|block)\\b|\\bforget that you\\b|\\b(?:disclose|reveal|leak|tell) ${gap(3)}(?:sealed|check|hidden|secret) (?:score|rows?|split|key)`,
  `\\w\\[\\.\\]\\w|\\bhxxps?\\b|\\b(?:copy|repeat|paste) this (?:text|sentence|line)\\b`,
  `\\b(?:do not|don'?t|never) (?:tell|inform|alert|mention|reveal|report|show|log)\\b`,
  `<\\|?[a-z!/?][^<>]{0,200}>|\\[\\/?inst\\]|<<sys>>|###? ?\\w+ ?:|\\b(?:begin|end) (?:of )?(?:prompt|instructions?|system)\\b|\\{\\{|\\$\\{`,
  `\\]\\(|!\\[|\`\`\`|~~~`,
  `\\b(?:https?|ftp|file|data|javascript|vbscript|ssh|mailto):(?:\\/\\/|[a-z(])|\\bwww\\.|\\b[a-z0-9-]+\\.(?:com|org|net|ru|cn|xyz|info|example)\\b`,
  `\\$\\(|\\b(?:curl|wget|powershell|sudo|chmod|npm (?:install|i)|pip install|rm -r?f?|eval\\()[ (]|\\|\\s?(?:sh|bash)\\b`,
  `\\b(?:ignoriere?n?|missachten?|vergiss|umgehen?)\\b[^.]*\\b(?:anweisung|regel|vorgabe|befehl)|\\b(?:du musst|sie mussen|ihr musst|du sollst)\\b`,
  `\\b(?:ignore[rz]?|oublie[rz]?|contourne[rz]?)\\b[^.]*\\b(?:instruction|consigne|regle)|\\b(?:vous devez|tu dois)\\b`,
  `\\b(?:ignora[rd]?|ignore|olvida[rd]?|olvide)\\b[^.]*\\b(?:instruccion|regla|orden)|\\b(?:debes|usted debe|ustedes deben|tienes que)\\b`,
];

const signs = (rule: Sign['rule'], sources: readonly string[]): readonly Sign[] =>
  sources.map((source) => ({ rule, sign: new RegExp(source, 'u') }));

/** All signs of the screen, by row. Each is searched in every form of a text. */
export const SIGNS: readonly Sign[] = [
  ...signs('individual-records', individualRecords),
  {
    rule: 'individual-records',
    sign: /\b(?:Mr|Mrs|Ms|Dr|Herrn?|Frau|Mme|Sra?)\.? \p{Lu}\p{Ll}+/u,
    asWritten: true,
  },
  {
    rule: 'individual-records',
    // A person by a name or a letter: applicant Miller, patient B.
    sign: /\b(?:[Aa]pplicant|[Bb]orrower|[Pp]atient|[Tt]enant|[Ee]mployee|[Cc]ustomer|[Ww]orker|[Cc]andidate|[Cc]lient) \p{Lu}(?:\p{Ll}+|\b)/u,
    asWritten: true,
  },
  ...signs('individual-decisions', individualDecisions),
  ...signs('specific-recommendations', specificRecommendations),
  ...signs('applied-findings', appliedFindings),
  ...signs('instructions', instructions),
  // Text that only a machine reads.
  {
    rule: 'instructions',
    sign: /(?<![A-Za-z0-9+/])(?=[a-z0-9+/]*[A-Z])(?=[A-Z0-9+/]*[a-z])[A-Za-z0-9+/]{40,}/u,
    asWritten: true,
  },
];
