"""The ORM's events are listened to with cormorant.event: their names, by target.

- mapped classes and Mapper: before_insert, after_insert, before_update, after_update, before_delete, after_delete,
  mapper_configured, before_configured, after_configured, instrument_class; and of their objects init, init_failure,
  first_init, load, refresh, expire, pickle, unpickle
- attributes: set, append, remove, modified, init_scalar
- sessions: before_flush, after_flush, after_flush_postexec, before_commit, after_commit, after_rollback,
  after_soft_rollback, after_begin, before_attach, after_attach, the changes of an object's state
  (transient_to_pending...), do_orm_execute, after_transaction_create, after_transaction_end, after_bulk_update,
  after_bulk_delete
"""

from __future__ import annotations
