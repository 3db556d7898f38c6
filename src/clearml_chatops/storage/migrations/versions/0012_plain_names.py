"""Plain names for tables, columns, JSON keys and stored values"""

from typing import Any

from alembic import op
import sqlalchemy as sa
from clearml_chatops.storage.schema import Table


revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

# Names of before, each with its name now. A table that keeps its name has no entry in _TABLES.
_TABLES = {
    'acts': 'own_actions',
    'unwatched': 'experiment_opt_outs',
    'own_experiments_off': 'own_experiments_opt_outs',
    'standstills': 'stalls',
    'own_places': 'direct_messages',
    'wanted_workers': 'desired_workers',
    'card_watches': 'gpu_watches',
    'card_questions': 'gpu_requests',
}
# By the table's name of before.
_COLUMNS = {
    'actions': {'line': 'command'},
    'audit': {'line': 'command', 'incident': 'incident_id'},
    'draft_edits': {'undone': 'is_undone'},
    'experiment_states': {'stopping_by': 'stop_requested_by'},
    'subscriptions': {'told': 'event_kinds'},
    'watcher_cursor': {'begun': 'started'},
    'cards': {'shown_change': 'shown_status_changed'},
    'outbox': {'experiment_id': 'subject_id', 'noted': 'queued'},
    'quiet_hours': {
        'begins': 'start_time', 'ends': 'end_time', 'failures_now': 'allow_failures', 'is_on': 'is_enabled'
    },
    'daily_digests': {'at': 'time_of_day', 'told_until': 'reported_until'},
    'alerts': {'since': 'created', 'log_from': 'log_since', 'log_next': 'log_read_until'},
    'standstills': {'sign': 'fingerprint', 'told': 'is_notified'},
    'wanted_workers': {'since': 'created', 'held_queues': 'paused_queue_ids', 'held_since': 'paused_since'},
    'card_watches': {'card': 'gpu', 'memory': 'required_memory', 'seconds': 'required_seconds'},
    'card_questions': {
        'asker_id': 'requester_id',
        'cards': 'gpu_label',
        'line': 'command',
        'request': 'details',
        'asked_id': 'owner_id',
        'noted': 'created',
        'begun': 'handover_started',
    },
}
_PLAN_KEYS = {'services': 'services_mode'}
_SPEC_KEYS = {'services': 'services_mode', 'consents': 'accepted_worker_ids'}
_REQUEST_KEYS = {'order': 'worker_spec', 'restarts': 'worker_id_to_restart', 'mid_run': 'running_policy'}
_NOTICE_KEYS = {
    'is_trouble': 'is_warning',
    'offers': 'buttons',
    'more': 'extra_texts',
    'experiment': 'experiment_id',
    'person': 'person_id',
}
_EVENT_KEYS = {
    'name': 'experiment_name',
    'worker': 'worker_id',
    'waited': 'waiting_seconds',
    'ran': 'running_seconds',
    'by': 'actor_id',
    'by_name': 'actor_name',
    'owner': 'owner_name',
    'people': 'person_ids',
}
_EVENT_KINDS = {'left_pending': 'started'}
_ERROR_CODES = {
    'stranger': 'unknown_user',
    'public_place': 'direct_message_required',
    'known_as_another': 'identity_taken',
    'not_yours': 'experiment_not_yours',
    'changed_meanwhile': 'edit_conflict',
    'nothing_will_come': 'run_ended',
    'clearml_answer_lost': 'clearml_response_lost',
    'clearml_broken': 'clearml_server_error',
    'clearml_nonsense': 'clearml_invalid_response',
    'docker_or_venv': 'docker_venv_conflict',
    'run_goes_on': 'orphaned_run',
    'no_worker': 'no_worker_for_queue',
    'card_not_watched': 'gpu_not_watched',
    'nobody_to_ask': 'gpu_owner_unreachable',
    'already_asked': 'gpu_already_requested',
    'card_question_over': 'gpu_request_closed',
    'card_question_not_yours': 'gpu_request_not_yours',
}
_OUTBOX_KEY = ['kind', 'at', 'platform', 'conversation_id', 'thread']


def upgrade() -> None:
    for table, columns in _COLUMNS.items():
        if table not in _TABLES:
            _rename_columns(table, columns)
    for old, new in _TABLES.items():
        _move(old, new, _COLUMNS.get(old, {}))
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_outbox_experiment_id'), type_='unique')
        batch_op.create_unique_constraint(batch_op.f('uq_outbox_subject_id'), ['subject_id', *_OUTBOX_KEY])
    _replace_values('outbox', 'kind', _EVENT_KINDS)
    _replace_values('audit', 'error_code', _ERROR_CODES)
    _rewrite('subscriptions', ['id'], 'event_kinds', lambda row: [_EVENT_KINDS.get(kind, kind) for kind in row.value])
    _rewrite('outbox', ['id', 'kind'], 'details', lambda row: _rename_keys(row.value, _keys_of(row.kind)))
    for column in ('plan', 'successor'):
        _rewrite('desired_workers', ['id'], column, lambda row: _rename_keys(row.value, _PLAN_KEYS))
    _rewrite('gpu_requests', ['token'], 'details', lambda row: _to_new_request(row.value))
    op.execute(
        "UPDATE gpu_requests SET gpu_label = replace(replace(gpu_label, 'cards ', 'GPUs '), 'card ', 'GPU ')"
    )


def downgrade() -> None:
    op.execute(
        "UPDATE gpu_requests SET gpu_label = replace(replace(gpu_label, 'GPUs ', 'cards '), 'GPU ', 'card ')"
    )
    _rewrite('gpu_requests', ['token'], 'details', lambda row: _to_old_request(row.value))
    for column in ('plan', 'successor'):
        _rewrite('desired_workers', ['id'], column, lambda row: _rename_keys(row.value, _inverted(_PLAN_KEYS)))
    _rewrite('outbox', ['id', 'kind'], 'details', lambda row: _rename_keys(row.value, _inverted(_keys_of(row.kind))))
    old_kinds = _inverted(_EVENT_KINDS)
    _rewrite('subscriptions', ['id'], 'event_kinds', lambda row: [old_kinds.get(kind, kind) for kind in row.value])
    _replace_values('audit', 'error_code', _inverted(_ERROR_CODES))
    _replace_values('outbox', 'kind', old_kinds)
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_outbox_subject_id'), type_='unique')
        batch_op.create_unique_constraint(batch_op.f('uq_outbox_experiment_id'), ['subject_id', *_OUTBOX_KEY])
    for old, new in _TABLES.items():
        _move(new, old, _inverted(_COLUMNS.get(old, {})))
    for table, columns in _COLUMNS.items():
        if table not in _TABLES:
            _rename_columns(table, _inverted(columns))


def _inverted(names: dict[str, str]) -> dict[str, str]:
    return {new: old for old, new in names.items()}


def _rename_columns(table: str, columns: dict[str, str]) -> None:
    for old, new in columns.items():
        # Alembic would make the whole table anew on SQLite, which has known this statement for long.
        op.execute(f'ALTER TABLE {table} RENAME COLUMN {old} TO {new}')


def _move(source: str, target: str, columns: dict[str, str]) -> None:
    """Makes a table under another name and copies its rows.

    A renamed table would keep the names of its constraints, in which its former name stands.
    """
    connection = op.get_bind()
    metadata = sa.MetaData(naming_convention=Table.metadata.naming_convention)
    sa.Table('people', metadata, sa.Column('id', sa.Integer(), primary_key=True))
    old = sa.Table(source, sa.MetaData(), autoload_with=connection)
    new = sa.Table(
        target,
        metadata,
        *(
            sa.Column(
                columns.get(column.name, column.name),
                column.type,
                *(sa.ForeignKey('people.id') for _ in column.foreign_keys),
                primary_key=column.primary_key,
                nullable=column.nullable,
            )
            for column in old.columns
        ),
    )
    for constraint in old.constraints:
        if isinstance(constraint, sa.UniqueConstraint):
            new.append_constraint(
                sa.UniqueConstraint(*(columns.get(name, name) for name in constraint.columns.keys()))
            )
    for index in old.indexes:
        sa.Index(None, *(new.columns[columns.get(name, name)] for name in index.columns.keys()))
    new.create(connection)
    connection.execute(new.insert().from_select([column.name for column in new.columns], sa.select(old)))
    op.drop_table(source)


def _replace_values(table: str, column: str, values: dict[str, str]) -> None:
    target = sa.table(table, sa.column(column))
    for old, new in values.items():
        op.execute(target.update().where(target.c[column] == old).values({column: new}))


def _rewrite(table: str, keys: list[str], column: str, change: Any) -> None:
    """Replaces the JSON in a column by what `change` makes of each row."""
    target = sa.table(table, *(sa.column(key) for key in keys), sa.column(column, sa.JSON()))
    connection = op.get_bind()
    rows = connection.execute(
        sa.select(*(target.c[key] for key in keys), target.c[column].label('value'))
    ).all()
    for row in rows:
        connection.execute(
            target.update().where(target.c[keys[0]] == row[0]).values({column: change(row)})
        )


def _rename_keys(document: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in document.items()}


def _keys_of(kind: str) -> dict[str, str]:
    return _NOTICE_KEYS if kind == 'notice' else _EVENT_KEYS


def _to_new_request(request: dict[str, Any]) -> dict[str, Any]:
    return _rename_keys({**request, 'order': _rename_keys(request['order'], _SPEC_KEYS)}, _REQUEST_KEYS)


def _to_old_request(details: dict[str, Any]) -> dict[str, Any]:
    spec = _rename_keys(details['worker_spec'], _inverted(_SPEC_KEYS))
    return _rename_keys({**details, 'worker_spec': spec}, _inverted(_REQUEST_KEYS))
