package apiv3

import (
	"testing"

	"cohort.example/cohort"
)

// FuzzChannelBodies sends bodies to the decoders of channels, customer settings and
// credentials. Every error must be a client error, and an accepted channel must be valid
// once more after it has been read back.
func FuzzChannelBodies(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `[]`, `null`, `{"name":"A","type":"pos","platform":"custom","status":"connected"}`,
		`{"name":" A ","type":"storefront","platform":"next","external_id":null,"is_visible":true,"is_enabled":7}`,
		`{"name":null,"type":7,"platform":[],"status":{}}`,
		`{"privacy_settings":{"ask_shopper_for_tracking_consent":null,"policy_url":"https://a.example/?x=1"},"customer_group_settings":null}`,
		`{"customer_group_settings":{"guest_customer_group_id":0,"default_customer_group_id":9223372036854775807},"allow_global_logins":null}`,
		`{"customer_group_settings":{"guest_customer_group_id":-1.5},"privacy_settings":[],"allow_global_logins":"true"}`,
		`{"email":"a@b.example","password":"","channel_id":null}`, `{"email":7,"channel_id":1e99}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		channel, err := decodeShape(post(body), channelFields, "name", "type", "platform")
		mustBeClientError(t, body, err)
		if err == nil {
			checkDecodedChannel(t, body, channel)
		}
		settings, err := decodeShape(post(body), channelSettingsFields)
		mustBeClientError(t, body, err)
		if err == nil {
			mustBeClientError(t, body, settings.Validate())
			checkDecodedSettings(t, body, settings)
		}
		_, err = decodeShape(post(body), credentialFields, "email", "password")
		mustBeClientError(t, body, err)
	})
}

func checkDecodedChannel(t *testing.T, body string, u cohort.ChannelUpdate) {
	t.Helper()
	c := u.Apply(cohort.Channel{})
	err := c.ValidateNew()
	mustBeClientError(t, body, err)
	if err != nil {
		return
	}
	again := cohort.ChannelUpdate{Name: &c.Name, Status: &c.Status, Type: &c.Type, Platform: &c.Platform, ExternalID: &c.ExternalID}
	if err := again.Apply(cohort.Channel{}).ValidateNew(); err != nil {
		t.Errorf("%q: the channel %+v is not valid once more: %v", body, c, err)
	}
}

// checkDecodedSettings checks that a setting that was not sent is unchanged, and that one
// that was sent is applied.
func checkDecodedSettings(t *testing.T, body string, u cohort.CustomerSettingsUpdate) {
	t.Helper()
	guest, url := int64(7), "before"
	before := cohort.CustomerSettings{GuestGroupID: &guest, PolicyURL: &url}
	after := u.Apply(before)
	if want := before.GuestGroupID; !u.GuestGroupID.Sent && after.GuestGroupID != want {
		t.Errorf("%q: the guest group changes", body)
	}
	if u.PolicyURL.Sent && after.PolicyURL != u.PolicyURL.Value {
		t.Errorf("%q: the policy URL does not change", body)
	}
}
