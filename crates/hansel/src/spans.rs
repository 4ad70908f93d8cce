//! Spans of what a server does, each request, run, object and step one: for OpenTelemetry, by the feature `otel`. Without
//! it there are none, and nothing is paid for them. No secret and no cell is in a span.

#[cfg(not(feature = "otel"))]
pub(crate) use absent::*;
#[cfg(feature = "otel")]
pub(crate) use present::*;

#[cfg(not(feature = "otel"))]
mod absent {
    use tracing::Span;

    /// A request, by its route.
    pub(crate) fn request(_method: &str, _route: &str) -> Span {
        Span::none()
    }

    /// A run.
    pub(crate) fn run(_id: &str, _workflow: &str) -> Span {
        Span::none()
    }

    /// An object of a run.
    pub(crate) fn object(_key: &str) -> Span {
        Span::none()
    }

    /// A step with an object.
    pub(crate) fn step(_action: &str) -> Span {
        Span::none()
    }
}

#[cfg(feature = "otel")]
mod present {
    use std::pin::Pin;
    use std::time::Duration;

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
    use opentelemetry_otlp::WithHttpConfig;
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::Span;
    use workflow::{Code, Failure};

    use crate::outgoing::Outgoing;

    /// A request, by its route.
    pub(crate) fn request(method: &str, route: &str) -> Span {
        tracing::info_span!("request", otel.name = format!("{method} {route}"), otel.kind = "server", method, route)
    }

    /// A run.
    pub(crate) fn run(id: &str, workflow: &str) -> Span {
        tracing::info_span!(parent: None, "run", id, workflow)
    }

    /// An object of a run.
    pub(crate) fn object(key: &str) -> Span {
        tracing::info_span!("object", key)
    }

    /// A step with an object.
    pub(crate) fn step(action: &str) -> Span {
        tracing::info_span!("step", otel.name = format!("step {action}"), action)
    }

    /// What sends spans away; what is still held goes when it is dropped.
    pub(crate) struct Sender(SdkTracerProvider);

    impl Drop for Sender {
        fn drop(&mut self) {
            let _ = self.0.shutdown();
        }
    }

    impl Sender {
        /// The sender that OTEL_EXPORTER_OTLP_ENDPOINT and its like describe; none where they name no place.
        pub(crate) fn from_environment() -> Result<Option<Sender>, Failure> {
            let named = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            if !named("OTEL_EXPORTER_OTLP_ENDPOINT") && !named("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
                return Ok(None);
            }
            let (connect, silence) = (Duration::from_secs(5), Duration::from_secs(10));
            let agent = Outgoing { connect, silence, redirects: 0, rule: None }.agent()?;
            let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().with_http_client(Sending(agent));
            let exporter = exporter.build().map_err(|error| {
                Failure::new(Code::Usage, "spans cannot be sent where OTEL_EXPORTER_OTLP_ENDPOINT says").cause(error)
            })?;
            let resource = Resource::builder().with_service_name("hansel").build();
            let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
            Ok(Some(Sender(provider)))
        }

        /// What spans are made with.
        pub(crate) fn tracer(&self) -> opentelemetry_sdk::trace::Tracer {
            self.0.tracer("hansel")
        }
    }

    /// The house's agent as the exporter wants one. It works on a thread of its own, where it may block.
    #[derive(Debug)]
    struct Sending(ureq::Agent);

    impl HttpClient for Sending {
        fn send_bytes<'a, 'f>(
            &'a self,
            request: Request<Bytes>,
        ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
        where
            'a: 'f,
            Self: 'f,
        {
            Box::pin(async move {
                let (parts, body) = request.into_parts();
                let answer = self.0.run(Request::from_parts(parts, body.to_vec()))?;
                let (parts, mut body) = answer.into_parts();
                Ok(Response::from_parts(parts, Bytes::from(body.read_to_vec()?)))
            })
        }
    }
}
