//! Operations.

use std::time::Duration;

use colloquy_contract::longrunning as wire;
use colloquy_sessions::error::Result;
use colloquy_sessions::operation::ApiVersion;
use tokio::time::Instant;

use super::{Api, list};
use crate::convert;

/// How long a wait lasts that names no timeout, and the longest that any wait lasts.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How soon a wait looks again; it looks less and less often.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const SELDOM_LOOK: Duration = Duration::from_millis(500);

impl Api {
    pub(crate) async fn get_operation(
        &self,
        asked: Option<ApiVersion>,
        request: wire::GetOperationRequest,
    ) -> Result<wire::Operation> {
        convert::operation::to_message(&self.service.get_operation(&request.name).await?, asked)
    }

    pub(crate) async fn list_operations(
        &self,
        asked: Option<ApiVersion>,
        request: wire::ListOperationsRequest,
    ) -> Result<wire::ListOperationsResponse> {
        let page = list(&request.filter, "", request.page_size, &request.page_token);
        let listing = self.service.list_operations(&request.name, page).await?;
        let to_message = |status| convert::operation::to_message(status, asked);
        Ok(wire::ListOperationsResponse {
            operations: listing.items.iter().map(to_message).collect::<Result<_>>()?,
            next_page_token: listing.next_page_token,
            unreachable: Vec::new(),
        })
    }

    /// Answers when the operation is done or the time is over, with the operation as it is then.
    pub(crate) async fn wait_operation(
        &self,
        asked: Option<ApiVersion>,
        request: wire::WaitOperationRequest,
    ) -> Result<wire::Operation> {
        let patience = request.timeout.map(|timeout| Duration::try_from(timeout).unwrap_or(Duration::ZERO));
        let until = Instant::now() + patience.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
        let mut pause = FIRST_LOOK;
        loop {
            let status = self.service.get_operation(&request.name).await?;
            let now = Instant::now();
            if status.operation.done || now >= until {
                return convert::operation::to_message(&status, asked);
            }
            tokio::time::sleep_until(until.min(now + pause)).await;
            pause = (pause * 2).min(SELDOM_LOOK);
        }
    }

    pub(crate) async fn cancel_operation(&self, request: wire::CancelOperationRequest) -> Result<()> {
        self.service.cancel_operation(&request.name).await
    }

    pub(crate) async fn delete_operation(&self, request: wire::DeleteOperationRequest) -> Result<()> {
        self.service.delete_operation(&request.name).await
    }
}
