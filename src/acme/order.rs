//! One order: an account, the proofs of all domains, a new key, a certificate.

use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeHandle, ChallengeType, Error, Identifier, NewAccount, NewOrder,
    Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};

use super::client::Client;
use super::{Acme, ChallengeKind, Problem};
use crate::transport::tls::challenges::ShownProof;

/// How an ACME server is asked whether it has decided: first after a moment, then less and less often.
const POLLING: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(250)).backoff(1.5).timeout(Duration::from_mins(2));

impl Acme {
    /// Gets a certificate. Returns its key and its chain, PEM.
    pub(super) async fn order(&self) -> Result<String, Problem> {
        match self.order_with_account().await {
            Err(problem) if problem.is_unknown_account => {
                tracing::warn!("the ACME server no longer knows the account; another one is created");
                self.folder.delete_account(&self.settings.directory);
                self.order_with_account().await
            }
            outcome => outcome,
        }
    }

    async fn order_with_account(&self) -> Result<String, Problem> {
        let failed = |error: Error| Problem::of(&error, &self.settings);
        let account = self.account().await?;
        let names: Vec<Identifier> = self.settings.domains.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&names)).await.map_err(failed)?;
        self.prove(&mut order).await?;
        let (key, request) = self.signing_request()?;
        order.finalize_csr(&request).await.map_err(failed)?;
        let chain = order.poll_certificate(&POLLING).await.map_err(failed)?;
        Ok(format!("{key}{chain}"))
    }

    /// The account of an earlier order, or a new one.
    async fn account(&self) -> Result<Account, Problem> {
        let failed = |error: Error| Problem::of(&error, &self.settings);
        let directory = &self.settings.directory;
        let client = Client::new(self.settings.root_file.as_deref())?;
        let builder = Account::builder_with_http(Box::new(client));
        if let Some(known) = self.folder.account(directory)? {
            return builder.from_credentials(known).await.map_err(failed);
        }
        let contact = self.settings.email.as_ref().map(|email| format!("mailto:{email}"));
        let contact: Vec<&str> = contact.as_deref().into_iter().collect();
        let new =
            NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = builder.create(&new, directory.clone(), None).await.map_err(failed)?;
        self.folder.save_account(directory, &credentials)?;
        tracing::info!(directory, "created an account at the ACME server");
        Ok(account)
    }

    /// Proves every domain that is not proved yet, and waits until the ACME server has seen the proofs.
    async fn prove(&self, order: &mut Order) -> Result<(), Problem> {
        let failed = |error: Error| Problem::of(&error, &self.settings);
        let mut proofs = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(failed)?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let mut challenge = authorization.challenge(self.challenge_type()).ok_or_else(|| {
                Problem::new("the ACME server does not offer the challenge that tls.acme.challenge names")
            })?;
            proofs.push(self.show(&challenge)?);
            challenge.set_ready().await.map_err(failed)?;
        }
        match order.poll_ready(&POLLING).await {
            Ok(OrderStatus::Ready | OrderStatus::Valid) => Ok(()),
            Ok(_) => Err(self
                .refused_proof(order)
                .await
                .unwrap_or_else(|| Problem::new("the ACME server refused the order and does not say why"))),
            Err(error) => Err(self.refused_proof(order).await.unwrap_or_else(|| failed(error))),
        }
    }

    fn show(&self, challenge: &ChallengeHandle<'_>) -> Result<ShownProof, Problem> {
        let authorization = challenge.key_authorization();
        let domain = challenge.identifier().to_string();
        let no_certificate = |why: String| Problem::new(format!("no proof can be made for {domain}: {why}"));
        match self.settings.challenge {
            ChallengeKind::Http => Ok(self.challenges.show_text(&challenge.token, authorization.as_str())),
            ChallengeKind::TlsAlpn => {
                let digest = authorization.digest();
                let digest =
                    digest.as_ref().try_into().map_err(|_| no_certificate("no digest".to_owned()))?;
                let shown = self.challenges.show_certificate(&domain, digest);
                shown.map_err(|error| no_certificate(error.to_string()))
            }
        }
    }

    /// Why the ACME server refused the first domain that it refused.
    async fn refused_proof(&self, order: &mut Order) -> Option<Problem> {
        let mut authorizations = order.authorizations();
        while let Some(Ok(mut authorization)) = authorizations.next().await {
            authorization.refresh().await.ok()?;
            let refused = authorization.challenges.iter().find_map(|challenge| challenge.error.as_ref());
            if let Some(problem) = refused {
                let domain = authorization.identifier().to_string();
                return Some(Problem::of_domain(&domain, problem, &self.settings));
            }
        }
        None
    }

    /// A new key, PEM, and the request to sign it, DER.
    fn signing_request(&self) -> Result<(String, Vec<u8>), Problem> {
        let made = || {
            let mut params = CertificateParams::new(self.settings.domains.clone())?;
            params.distinguished_name = DistinguishedName::new();
            let key = KeyPair::generate()?;
            let request = params.serialize_request(&key)?;
            Ok::<_, rcgen::Error>((key.serialize_pem(), request.der().to_vec()))
        };
        made().map_err(|error| Problem::new(format!("no request can be made for these names: {error}")))
    }

    const fn challenge_type(&self) -> ChallengeType {
        match self.settings.challenge {
            ChallengeKind::TlsAlpn => ChallengeType::TlsAlpn01,
            ChallengeKind::Http => ChallengeType::Http01,
        }
    }
}
