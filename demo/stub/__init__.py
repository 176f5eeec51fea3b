"""One small server in place of the services a demo cannot have: it answers as they do, remembers what it was asked, fails on request.

    GET    /healthz
    GET    /__requests     what was received; ?vendor= ?path= ?status= ?after=<id> ?limit=; newest last
    DELETE /__requests     forget it
    GET    /__control      the faults and settings in force
    POST   /__control      {"vendor": NAME, "status": 503, "delay": 2, "body": "...", "path": "/v3", "count": 3}  a fault
                           {"vendor": NAME, "settings": {...}}   what the vendor's file documents
                           {"vendor": NAME, "reset": true}, {"reset": true}   as at the start

A vendor is one file in ``vendors/``.
"""
