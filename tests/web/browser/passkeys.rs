//! A device that stores passkeys.

use serde_json::json;

use super::Browser;

impl Browser {
    /// Gives the browser a device that stores passkeys and whose owner agrees to everything; returns its id.
    pub fn with_passkeys(&self) -> String {
        self.devtools.call("WebAuthn.enable", &json!({}));
        let device = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserVerified": true, "automaticPresenceSimulation": true,
        });
        let added = self.devtools.call("WebAuthn.addVirtualAuthenticator", &json!({ "options": device }));
        added["authenticatorId"].as_str().unwrap().to_owned()
    }

    /// Replaces the passkeys of a device by copies of themselves that have signed nothing yet.
    pub fn copy_passkeys(&self, device: &str) {
        let device = json!(device);
        let kept = self.devtools.call("WebAuthn.getCredentials", &json!({ "authenticatorId": device }));
        self.devtools.call("WebAuthn.clearCredentials", &json!({ "authenticatorId": device }));
        for mut passkey in kept["credentials"].as_array().cloned().unwrap_or_default() {
            passkey["signCount"] = json!(0);
            let copy = json!({ "authenticatorId": device, "credential": passkey });
            self.devtools.call("WebAuthn.addCredential", &copy);
        }
    }
}
