package cohort

import "strings"

// currencyTexts has the English name of each currency, and its symbol, which is the code
// unless shops commonly use another one.
var currencyTexts = func() map[string][2]string {
	texts := map[string][2]string{}
	for line := range strings.Lines(currencyTable) {
		code, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		symbol, name, _ := strings.Cut(rest, " ")
		texts[code] = [2]string{symbol, name}
	}
	return texts
}()

// Symbol returns what stands before an amount of the currency.
func (c Currency) Symbol() string { return currencyTexts[c.Code][0] }

// Name returns the English name of the currency.
func (c Currency) Name() string { return currencyTexts[c.Code][1] }

// Country returns the code of the country or union of the currency, by ISO 3166-1, and ""
// if it belongs to several countries: the first two letters of a code name the country,
// except for those that begin with X.
func (c Currency) Country() string {
	if strings.HasPrefix(c.Code, "X") {
		return ""
	}
	return c.Code[:2]
}

// currencyTable has a code, a symbol and a name in each line.
const currencyTable = `AED AED United Arab Emirates Dirham
AFN AFN Afghan Afghani
ALL ALL Albanian Lek
AMD AMD Armenian Dram
ANG ANG Netherlands Antillean Guilder
AOA Kz Angolan Kwanza
ARS $ Argentine Peso
AUD $ Australian Dollar
AWG AWG Aruban Florin
AZN ₼ Azerbaijani Manat
BAM KM Bosnia-Herzegovina Convertible Mark
BBD $ Barbadian Dollar
BDT ৳ Bangladeshi Taka
BGN BGN Bulgarian Lev
BHD BHD Bahraini Dinar
BIF BIF Burundian Franc
BMD $ Bermudan Dollar
BND $ Brunei Dollar
BOB Bs Bolivian Boliviano
BRL R$ Brazilian Real
BSD $ Bahamian Dollar
BTN BTN Bhutanese Ngultrum
BWP P Botswanan Pula
BYN BYN Belarusian Ruble
BZD $ Belize Dollar
CAD $ Canadian Dollar
CDF CDF Congolese Franc
CHF CHF Swiss Franc
CLP $ Chilean Peso
CNY ¥ Chinese Yuan
COP $ Colombian Peso
CRC ₡ Costa Rican Colón
CUP $ Cuban Peso
CVE CVE Cape Verdean Escudo
CZK Kč Czech Koruna
DJF DJF Djiboutian Franc
DKK kr Danish Krone
DOP $ Dominican Peso
DZD DZD Algerian Dinar
EGP E£ Egyptian Pound
ERN ERN Eritrean Nakfa
ETB ETB Ethiopian Birr
EUR € Euro
FJD $ Fijian Dollar
FKP £ Falkland Islands Pound
GBP £ British Pound
GEL ₾ Georgian Lari
GHS GH₵ Ghanaian Cedi
GIP £ Gibraltar Pound
GMD GMD Gambian Dalasi
GNF FG Guinean Franc
GTQ Q Guatemalan Quetzal
GYD $ Guyanese Dollar
HKD $ Hong Kong Dollar
HNL L Honduran Lempira
HTG HTG Haitian Gourde
HUF Ft Hungarian Forint
IDR Rp Indonesian Rupiah
ILS ₪ Israeli New Shekel
INR ₹ Indian Rupee
IQD IQD Iraqi Dinar
IRR IRR Iranian Rial
ISK kr Icelandic Króna
JMD $ Jamaican Dollar
JOD JOD Jordanian Dinar
JPY ¥ Japanese Yen
KES KES Kenyan Shilling
KGS KGS Kyrgyzstani Som
KHR ៛ Cambodian Riel
KMF CF Comorian Franc
KPW ₩ North Korean Won
KRW ₩ South Korean Won
KWD KWD Kuwaiti Dinar
KYD $ Cayman Islands Dollar
KZT ₸ Kazakhstani Tenge
LAK ₭ Laotian Kip
LBP L£ Lebanese Pound
LKR Rs Sri Lankan Rupee
LRD $ Liberian Dollar
LSL LSL Lesotho Loti
LYD LYD Libyan Dinar
MAD MAD Moroccan Dirham
MDL MDL Moldovan Leu
MGA Ar Malagasy Ariary
MKD MKD Macedonian Denar
MMK K Myanmar Kyat
MNT ₮ Mongolian Tugrik
MOP MOP$ Macanese Pataca
MRU MRU Mauritanian Ouguiya
MUR Rs Mauritian Rupee
MVR MVR Maldivian Rufiyaa
MWK MWK Malawian Kwacha
MXN $ Mexican Peso
MYR RM Malaysian Ringgit
MZN MZN Mozambican Metical
NAD $ Namibian Dollar
NGN ₦ Nigerian Naira
NIO C$ Nicaraguan Córdoba
NOK kr Norwegian Krone
NPR Rs Nepalese Rupee
NZD $ New Zealand Dollar
OMR OMR Omani Rial
PAB PAB Panamanian Balboa
PEN S/ Peruvian Sol
PGK PGK Papua New Guinean Kina
PHP ₱ Philippine Peso
PKR Rs Pakistani Rupee
PLN zł Polish Zloty
PYG ₲ Paraguayan Guarani
QAR QAR Qatari Riyal
RON lei Romanian Leu
RSD RSD Serbian Dinar
RUB ₽ Russian Ruble
RWF RF Rwandan Franc
SAR SAR Saudi Riyal
SBD $ Solomon Islands Dollar
SCR SCR Seychellois Rupee
SDG SDG Sudanese Pound
SEK kr Swedish Krona
SGD $ Singapore Dollar
SHP £ Saint Helena Pound
SLE SLE Sierra Leonean Leone
SOS SOS Somali Shilling
SRD $ Surinamese Dollar
SSP £ South Sudanese Pound
STN Db São Tomé and Príncipe Dobra
SVC SVC Salvadoran Colón
SYP £ Syrian Pound
SZL SZL Swazi Lilangeni
THB ฿ Thai Baht
TJS TJS Tajikistani Somoni
TMT TMT Turkmenistani Manat
TND TND Tunisian Dinar
TOP T$ Tongan Paʻanga
TRY ₺ Turkish Lira
TTD $ Trinidad and Tobago Dollar
TWD NT$ New Taiwan Dollar
TZS TZS Tanzanian Shilling
UAH ₴ Ukrainian Hryvnia
UGX UGX Ugandan Shilling
USD $ US Dollar
UYU $ Uruguayan Peso
UZS UZS Uzbekistani Som
VED VED Venezuelan Digital Bolívar
VES Bs Venezuelan Bolívar
VND ₫ Vietnamese Dong
VUV VUV Vanuatu Vatu
WST WST Samoan Tala
XAF FCFA Central African CFA Franc
XCD $ East Caribbean Dollar
XCG Cg Caribbean Guilder
XOF CFA West African CFA Franc
XPF CFPF CFP Franc
YER YER Yemeni Rial
ZAR R South African Rand
ZMW K Zambian Kwacha
ZWG ZiG Zimbabwean Gold`
