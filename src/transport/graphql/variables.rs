//! The values of variables: checked against what the document declares, and substituted in it.
//!
//! Documents of existing clients declare `String!` where the schema says `ID!`, and the other way round. So a variable of
//! either type is replaced by its value before the document is validated, and only the value has to match.

use std::collections::HashMap;

use async_graphql::parser::types::{
    BaseType, Directive, FragmentDefinition, OperationDefinition, Selection, SelectionSet, Type,
    VariableDefinition,
};
use async_graphql::{Name, Positioned, Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::response::RequestError;
use crate::error::{Error, excerpt};

/// How many bytes of values may be substituted in one document: a long value that is used many times must not make it
/// large.
const ROOM: usize = 4 << 20;

/// Checks the variables that an operation declares, and substitutes those that are text in the operation and its
/// fragments. Returns the values of the others.
///
/// # Errors
/// `BAD_USER_INPUT` for a variable that is missing or has a value of another type.
pub fn substitute(
    operation: &mut OperationDefinition,
    fragments: &mut HashMap<Name, Positioned<FragmentDefinition>>,
    mut given: Variables,
) -> Result<Variables, RequestError> {
    let mut substitution = Substitution { values: HashMap::new(), room: ROOM };
    let mut others = Variables::default();
    for definition in &operation.variable_definitions {
        let name = &definition.node.name.node;
        let value = checked(&definition.node, given.remove(name))
            .map_err(|error| RequestError::from(error).at(definition.pos))?;
        if is_text(&definition.node.var_type.node) {
            substitution.values.insert(name.clone(), value.unwrap_or_default().into_value());
        } else if let Some(value) = value {
            others.insert(name.clone(), value);
        }
    }
    operation
        .variable_definitions
        .retain(|definition| !substitution.values.contains_key(&definition.node.name.node));
    substitution.fill_directives(&mut operation.directives)?;
    substitution.fill(&mut operation.selection_set.node)?;
    for fragment in fragments.values_mut() {
        substitution.fill(&mut fragment.node.selection_set.node)?;
    }
    Ok(others)
}

/// The value of a variable, or its default; `None` when there is neither and none is needed.
fn checked(definition: &VariableDefinition, given: Option<ConstValue>) -> Result<Option<ConstValue>, Error> {
    let (name, declared) = (&definition.name.node, &definition.var_type.node);
    let value = given.or_else(|| definition.default_value.as_ref().map(|value| value.node.clone()));
    let Some(value) = value else {
        if declared.nullable {
            return Ok(None);
        }
        let declared = declared.to_string();
        let (name, declared) = (excerpt(name).at_most(50), excerpt(&declared).at_most(50));
        return Err(Error::bad_input(format!("The variable `${name}` of type `{declared}` is missing.")));
    };
    if !fits(&value, declared) {
        let declared = declared.to_string();
        let (name, declared) = (excerpt(name).at_most(50), excerpt(&declared).at_most(50));
        return Err(Error::bad_input(format!(
            "The value of the variable `${name}` is not a valid `{declared}`."
        )));
    }
    Ok(Some(as_text(value, declared)))
}

fn fits(value: &ConstValue, declared: &Type) -> bool {
    match (value, &declared.base) {
        (ConstValue::Null, _) => declared.nullable,
        (ConstValue::List(values), BaseType::List(inner)) => values.iter().all(|value| fits(value, inner)),
        // A single value is coerced to a list of one.
        (value, BaseType::List(inner)) => fits(value, inner),
        (value, BaseType::Named(name)) => fits_scalar(value, name),
    }
}

fn fits_scalar(value: &ConstValue, name: &str) -> bool {
    match name {
        "ID" => match value {
            ConstValue::String(_) => true,
            ConstValue::Number(number) => number.is_i64(),
            _ => false,
        },
        "String" | "Upload" => matches!(value, ConstValue::String(_)),
        "Boolean" => matches!(value, ConstValue::Boolean(_)),
        "Float" => matches!(value, ConstValue::Number(_)),
        "Int" => match value {
            ConstValue::Number(number) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            _ => false,
        },
        // The schema has no other input types; validation reports them.
        _ => true,
    }
}

/// Whether this is a type of text, or a list of them.
fn is_text(declared: &Type) -> bool {
    match &declared.base {
        BaseType::Named(name) => matches!(name.as_str(), "ID" | "String"),
        BaseType::List(inner) => is_text(inner),
    }
}

/// The value with numbers written out where the variable is an `ID`, so that it fits a `String`, too.
fn as_text(value: ConstValue, declared: &Type) -> ConstValue {
    match value {
        ConstValue::Number(number) if is_text(declared) => ConstValue::String(number.to_string()),
        ConstValue::List(values) => {
            ConstValue::List(values.into_iter().map(|value| as_text(value, declared)).collect())
        }
        other => other,
    }
}

/// Replaces variables by their values.
struct Substitution {
    values: HashMap<Name, Value>,
    room: usize,
}

impl Substitution {
    fn fill(&mut self, selection: &mut SelectionSet) -> Result<(), RequestError> {
        for item in &mut selection.items {
            self.fill_directives(item.node.directives_mut())?;
            match &mut item.node {
                Selection::Field(field) => {
                    for (_, argument) in &mut field.node.arguments {
                        self.fill_value(&mut argument.node)?;
                    }
                    self.fill(&mut field.node.selection_set.node)?;
                }
                Selection::InlineFragment(inline) => self.fill(&mut inline.node.selection_set.node)?,
                Selection::FragmentSpread(_) => {}
            }
        }
        Ok(())
    }

    fn fill_directives(&mut self, directives: &mut [Positioned<Directive>]) -> Result<(), RequestError> {
        for directive in directives {
            for (_, argument) in &mut directive.node.arguments {
                self.fill_value(&mut argument.node)?;
            }
        }
        Ok(())
    }

    fn fill_value(&mut self, place: &mut Value) -> Result<(), RequestError> {
        match place {
            Value::Variable(name) => {
                let Some(value) = self.values.get(name) else { return Ok(()) };
                self.room = self.room.checked_sub(size(value)).ok_or_else(|| {
                    RequestError::invalid(
                        "The document uses large variables too often. Ask for less in one request.",
                    )
                })?;
                *place = value.clone();
                Ok(())
            }
            Value::List(items) => items.iter_mut().try_for_each(|item| self.fill_value(item)),
            Value::Object(fields) => fields.values_mut().try_for_each(|field| self.fill_value(field)),
            Value::Null
            | Value::Number(_)
            | Value::String(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_) => Ok(()),
        }
    }
}

/// About how many bytes of memory a text, or a list of them, takes.
fn size(value: &Value) -> usize {
    let own = size_of::<Value>();
    match value {
        Value::String(text) => own + text.len(),
        Value::List(items) => own + items.iter().map(size).sum::<usize>(),
        Value::Null
        | Value::Variable(_)
        | Value::Number(_)
        | Value::Boolean(_)
        | Value::Binary(_)
        | Value::Enum(_)
        | Value::Object(_) => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits_type(json: serde_json::Value, declared: &str) -> bool {
        fits(&ConstValue::from_json(json).unwrap(), &Type::new(declared).unwrap())
    }

    #[test]
    fn values_are_checked_against_the_declared_type() {
        use serde_json::json;
        for (value, declared) in [
            (json!("a"), "ID!"),
            (json!(5), "ID!"),
            (json!("a"), "String"),
            (json!(null), "String"),
            (json!(["a", null]), "[String]!"),
            (json!("a"), "[String!]!"),
            (json!(2_147_483_647), "Int"),
            (json!(true), "Boolean!"),
            (json!({}), "Unknown"),
        ] {
            assert!(fits_type(value.clone(), declared), "{value} {declared}");
        }
        for (value, declared) in [
            (json!(5), "String!"),
            (json!(1.5), "ID"),
            (json!(null), "ID!"),
            (json!(["a", null]), "[String!]"),
            (json!(["a"]), "String"),
            (json!(2_147_483_648_i64), "Int"),
            (json!("1"), "Int"),
            (json!({}), "Upload!"),
        ] {
            assert!(!fits_type(value.clone(), declared), "{value} {declared}");
        }
    }

    #[test]
    fn a_number_for_an_id_becomes_text() {
        let declared = Type::new("[ID!]").unwrap();
        let value = ConstValue::from_json(serde_json::json!([1, "b"])).unwrap();
        assert_eq!(as_text(value, &declared).to_string(), r#"["1", "b"]"#);
    }
}
