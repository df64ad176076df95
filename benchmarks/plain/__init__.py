"""The counterpart: a circuit service as the tutorials of FastAPI, SQLAlchemy and Celery write one, and run it."""
