//! Random histories, side by side with the model.

use crate::{Factory, check_histories};

pub async fn random_histories_are_those_of_the_model(factory: &dyn Factory) {
    check_histories(factory, 64, 1).await;
}
