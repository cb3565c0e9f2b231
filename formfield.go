package cohort

import "fmt"

// Limits of form fields. The vendor's reference has none.
const (
	MaxFormFields     = 50 // of one customer or address
	MaxFormFieldsPut  = 50 // in one call
	MaxFormFieldName  = 255
	MaxFormFieldText  = 1000
	MaxFormFieldTexts = 50 // in a list
)

// FormField is the value of one field of the form that a customer, or the owner of an
// address, has filled in.
type FormField struct {
	// ID counts from 1 within the store and is never reused. Clients do not see it.
	ID         int64
	CustomerID int64 // 0: the field belongs to the address
	AddressID  int64 // 0: the field belongs to the customer
	Name       string
	Value      FormValue
}

// FormFieldType is the kind of input in a form.
type FormFieldType string

// The types of form fields. Cohort has no definitions of forms, so a value gives its
// field one of the first three.
const (
	FormText         FormFieldType = "text"
	FormNumbers      FormFieldType = "numbers"
	FormCheckboxes   FormFieldType = "checkboxes"
	FormDate         FormFieldType = "date"
	FormMultiline    FormFieldType = "multiline"
	FormPassword     FormFieldType = "password"
	FormRadioButtons FormFieldType = "radiobuttons"
	FormPickList     FormFieldType = "picklist"
)

// Valid reports whether t is one of the types.
func (t FormFieldType) Valid() bool {
	switch t {
	case FormText, FormNumbers, FormCheckboxes, FormDate, FormMultiline, FormPassword, FormRadioButtons, FormPickList:
		return true
	}
	return false
}

// FormValue is a text, a number or a list of texts.
type FormValue struct {
	Type FormFieldType // FormText, FormNumbers or FormCheckboxes
	Text string        // the text, or the number as JSON has it
	List []string      // of FormCheckboxes
}

// Validate returns a KindInvalid error that names the first invalid field. It does not
// check that the customer or address exists.
func (f FormField) Validate() error {
	switch {
	case f.CustomerID < 0:
		return Invalid("customer_id", "The value must be an id, which is a whole number from 1.")
	case f.AddressID < 0:
		return Invalid("address_id", "The value must be an id, which is a whole number from 1.")
	case f.CustomerID == 0 && f.AddressID == 0:
		return Invalid("customer_id", "Either customer_id or address_id is required.")
	case f.CustomerID != 0 && f.AddressID != 0:
		return Invalid("address_id", "Only one of customer_id and address_id can be given.")
	}
	return f.ValidateValue()
}

// ValidateValue is Validate without the owner of the field.
func (f FormField) ValidateValue() error {
	if err := checkText("name", f.Name, 1, MaxFormFieldName); err != nil {
		return err
	}
	switch f.Value.Type {
	case FormText:
		return checkText("value", f.Value.Text, 0, MaxFormFieldText)
	case FormNumbers:
		if !isPlainNumber(f.Value.Text) {
			return Invalid("value", "The number is too large or has too many digits.")
		}
		return nil
	case FormCheckboxes:
		return checkFormList(f.Value.List)
	}
	return Invalid("value", "The value must be a string, a number or an array of strings.")
}

func checkFormList(list []string) error {
	if len(list) > MaxFormFieldTexts {
		return Invalid("value", fmt.Sprintf("The array must not have more than %d strings.", MaxFormFieldTexts))
	}
	length := 0
	for _, text := range list {
		if err := checkText("value", text, 0, MaxFormFieldText); err != nil {
			return err
		}
		length += len(text)
	}
	if length > maxFormListBytes {
		return Invalid("value", fmt.Sprintf("The strings of the array must not have more than %d bytes together.", maxFormListBytes))
	}
	return nil
}

// maxFormListBytes is the size of the longest single text, so that a list needs no more
// memory than a text.
const maxFormListBytes = 4 * MaxFormFieldText

// FormFieldFilter selects form fields; the zero value selects all of them.
type FormFieldFilter struct {
	CustomerID, AddressID int64 // 0: all
	Name                  *string
	Type                  FormFieldType // "": all
}
