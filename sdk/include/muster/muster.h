/* The client of a Muster service registry: register where you are, be told where others are.
 *
 * One client per process is enough; it has one background thread (a second one, asleep, when names
 * must be resolved or lists are cached on disk). All functions may be called from any thread, also
 * from within callbacks unless said otherwise, and none waits for the network but those named
 * *_await_*, muster_client_close(), muster_drain() and muster_restore(). Wishes (register,
 * subscribe, ...) are noted and kept true: after a lost connection all of them are sent again.
 *
 * Text is UTF-8 and ends with NUL; what is passed in is copied. Structs begin with their size: call
 * their *_init() function, which also puts in the defaults, so that newer libraries know what an
 * older program could not set. No exception leaves the library.
 *
 * fork(): the client stays with the parent. In the child its functions answer MUSTER_FORKED; the
 * child may open a client of its own. A child that lives on without exec keeps the parent's
 * connection open, so that the registry learns of the parent's death from missed heartbeats only:
 * prefer posix_spawn() or fork() with exec.
 *
 * Process end: nothing needs to be called. A process that ends in any way disappears from the lists
 * as soon as its connection is closed by the kernel; muster_client_close() is the polite way.
 */
#ifndef MUSTER_MUSTER_H
#define MUSTER_MUSTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MUSTER_API __attribute__((visibility("default")))
#else
#define MUSTER_API
#endif

/* ---- outcomes ------------------------------------------------------------------------------- */

typedef enum muster_status {
    MUSTER_OK = 0,
    MUSTER_INVALID_ARGUMENT = 1, /* what was passed cannot be; the message says what */
    MUSTER_NOT_FOUND = 2,        /* no such handle, or nothing to pick */
    MUSTER_NOT_READY = 3,        /* no list is known yet */
    MUSTER_OVER_LIMIT = 4,       /* too many registrations, subscriptions or waiting calls */
    MUSTER_TIMEOUT = 5,          /* did not happen within the time given */
    MUSTER_CLOSED = 6,           /* the client was closed */
    MUSTER_FORKED = 7,           /* the client belongs to the parent process */
    MUSTER_WRONG_THREAD = 8,     /* would wait for the thread that it is called on */
    MUSTER_BAD_CONFIG = 9,       /* the services file; the message names file, line and key */
    MUSTER_UNAVAILABLE = 10,     /* the registry cannot do it now; it is tried again */
    MUSTER_REFUSED = 11,         /* the registry will not do it */
    MUSTER_IO_ERROR = 12,        /* the system refused memory, a thread or a descriptor */
    MUSTER_INTERNAL = 13
} muster_status;

/* "not_found"; never NULL. */
MUSTER_API const char* muster_status_name(muster_status status);

/* A sentence about the last call of this thread that did not answer MUSTER_OK; valid until the
 * thread's next one. Never NULL. */
MUSTER_API const char* muster_error_message(void);

/* Of the library, such as "0.1.0". */
MUSTER_API const char* muster_version(void);

/* Nanoseconds of CLOCK_MONOTONIC: the clock of `received_ns`. */
MUSTER_API uint64_t muster_now_ns(void);

/* ---- client --------------------------------------------------------------------------------- */

typedef struct muster_client muster_client;

typedef enum muster_log_level {
    MUSTER_LOG_DEBUG = 0,
    MUSTER_LOG_INFO = 1,
    MUSTER_LOG_WARNING = 2,
    MUSTER_LOG_ERROR = 3
} muster_log_level;

/* `event` is a stable dotted name ("client.link.lost"), `text` its fields as "key=value ...". Both
 * are valid during the call only. Called on threads of the library; must not call it back. */
typedef void (*muster_log_fn)(void* context, muster_log_level level, const char* event,
                              const char* text);

typedef struct muster_options {
    size_t size;
    /* Where the registry is: "host:port" of its client port (9600) and "http://host:port" of its
     * HTTP port (9603, asked for the list of servers), separated by commas. Names are resolved in
     * the background, again when no server can be reached. NULL: the services file, the
     * environment variable MUSTER_SERVERS, or 127.0.0.1:9600, the first that there is. */
    const char* servers;
    const char* zone;         /* of this process; NULL: the services file or DEFAULT_ZONE */
    const char* app;          /* name of this program for people; NULL: none */
    const char* cache_folder; /* last lists are kept here; made if missing; NULL: not kept */
    /* YAML; registers and subscribes at open. NULL: the environment variable
     * MUSTER_SERVICES_FILE; "": none. */
    const char* services_file;
    uint32_t connect_timeout_ms;    /* 3000 */
    uint32_t request_timeout_ms;    /* 3000; then it is sent again */
    uint32_t heartbeat_interval_ms; /* 5000; three missed: another server is tried */
    uint32_t retry_max_ms;          /* 5000: longest pause between two attempts to connect */
    uint32_t poll_interval_ms;      /* 30000 without a word about a list: it is asked for; 0: no */
    uint32_t cache_wait_ms;         /* 500: so long a cached list is held back for a fresh one */
    muster_log_fn log;              /* NULL: no log */
    void* log_context;
    muster_log_level log_level; /* MUSTER_LOG_INFO and above */
} muster_options;

MUSTER_API void muster_options_init(muster_options* options);

/* Starts a client and its thread and returns at once: connecting goes on in the background.
 * `options` may be NULL. The client lives, connected and beating, until muster_client_close() or
 * the end of the process, whatever becomes of `*client`. Errors: INVALID_ARGUMENT, BAD_CONFIG,
 * IO_ERROR. */
MUSTER_API muster_status muster_client_open(const muster_options* options, muster_client** client);

/* Unregisters everything in one batch, waits up to `timeout_ms` for the answer (0: 40 ms), closes
 * the connection and ends the thread. No callback runs any more when it returns OK. All later calls
 * answer MUSTER_CLOSED; a second close does nothing. Errors: WRONG_THREAD (from within a callback),
 * TIMEOUT (a callback did not return; the thread ends after it). */
MUSTER_API muster_status muster_client_close(muster_client* client, uint32_t timeout_ms);

/* Gives the handle back; does not close. After it the handle must not be used. NULL is fine. */
MUSTER_API void muster_client_release(muster_client* client);

/* Waits until a server is connected. Errors: TIMEOUT, CLOSED, WRONG_THREAD. */
MUSTER_API muster_status muster_client_await_connected(muster_client* client, uint32_t timeout_ms);

typedef enum muster_connection {
    MUSTER_DISCONNECTED = 0,
    MUSTER_CONNECTING = 1,
    MUSTER_CONNECTED = 2
} muster_connection;

typedef struct muster_stats {
    size_t size;
    muster_connection connection;
    char server[64];           /* "ip:port" connected or being connected to; "" for none */
    uint64_t registrations;    /* handles in use */
    uint64_t unacknowledged;   /* registrations and withdrawals the registry has not answered */
    uint64_t subscriptions;    /* handles in use */
    uint64_t lists;            /* distinct lists subscribed */
    uint64_t stale_lists;      /* of these, from the cache and not confirmed */
    uint64_t pushes;           /* received */
    uint64_t list_updates;     /* told to subscribers */
    uint64_t connects;         /* connections made; reconnects are one less */
    uint64_t connections_lost; /* and attempts that failed */
    uint64_t refused;          /* registrations the registry answered with an error */
    uint64_t cache_writes;     /* files */
    uint64_t cache_failures;   /* files that could not be written or read */
    uint64_t received_bytes;
} muster_stats;

MUSTER_API void muster_stats_init(muster_stats* stats);

/* As of a moment ago. */
MUSTER_API muster_status muster_client_stats(muster_client* client, muster_stats* stats);

/* ---- registering ---------------------------------------------------------------------------- */

/* Number of a registration within its client; 0 is none. Nothing needs to be freed, and forgetting
 * the number unregisters nothing: the registration belongs to the process. */
typedef uint64_t muster_registration;

typedef struct muster_pair {
    const char* key;
    const char* value;
} muster_pair;

/* Told for each state of the registration when the registry answered it. Errors: UNAVAILABLE and
 * OVER_LIMIT are tried again by the client; others stay until the registration is updated or the
 * client reconnects. Runs on the client's thread. */
typedef void (*muster_registered_fn)(void* context, muster_registration registration,
                                     muster_status status, const char* message);

typedef struct muster_endpoint_spec {
    size_t size;
    const char* service; /* "tenant/group/name", "group/name" or "name" */
    const char* ip;      /* where the service listens; NULL when `boxes` are given */
    uint16_t port;
    uint32_t weight;  /* 100; 0 to 1000000; 0: shown, never picked */
    int enabled;      /* 1; 0: shown, never picked */
    int healthy;      /* 1; 0: shown, never picked */
    const char* zone; /* NULL: the client's */
    const char* app;  /* NULL: the client's */
    const muster_pair* metadata;
    size_t metadata_count; /* keys and values without '&', '=' (keys) and control characters */
    /* Raw publications instead of an endpoint; opaque to the registry. */
    const char* const* boxes;
    size_t boxes_count;
    muster_registered_fn on_registered; /* NULL: not told */
    void* context;
    void (*free_context)(void* context); /* NULL, or called once when no call can follow */
} muster_endpoint_spec;

MUSTER_API void muster_endpoint_spec_init(muster_endpoint_spec* spec);

/* Errors: INVALID_ARGUMENT, OVER_LIMIT, CLOSED, FORKED. On failure free_context is not called. */
MUSTER_API muster_status muster_register(muster_client* client, const muster_endpoint_spec* spec,
                                         muster_registration* registration);

/* Replaces the content; the service and the callback stay those of muster_register(). Errors:
 * NOT_FOUND, and those of muster_register(). */
MUSTER_API muster_status muster_update(muster_client* client, muster_registration registration,
                                       const muster_endpoint_spec* spec);

/* Errors: NOT_FOUND, OVER_LIMIT, CLOSED, FORKED. */
MUSTER_API muster_status muster_unregister(muster_client* client, muster_registration registration);

/* Waits until the registry has answered the newest state of the registration and returns that
 * answer. Errors: TIMEOUT, NOT_FOUND, WRONG_THREAD, and the registry's. */
MUSTER_API muster_status muster_await_registered(muster_client* client,
                                                 muster_registration registration,
                                                 uint32_t timeout_ms);

/* ---- lists ---------------------------------------------------------------------------------- */

typedef enum muster_scope {
    MUSTER_SCOPE_ZONE = 0,        /* publications of one zone */
    MUSTER_SCOPE_DATA_CENTER = 1, /* of all zones of the data centre */
    MUSTER_SCOPE_GLOBAL = 2       /* of all data centres */
} muster_scope;

/* A list as it was at one version: never changes, shared between threads, counted. */
typedef struct muster_list muster_list;

typedef struct muster_list_info {
    size_t size;
    const char* service; /* "tenant/group/name" */
    muster_scope scope;
    const char* zone;
    uint64_t version;      /* grows with every change, over all servers and restarts */
    int complete;          /* 0: more may exist (a server has just started) */
    int stale;             /* 1: from the cache, not confirmed by a server yet */
    int64_t as_of_unix_ms; /* when a server said or confirmed it */
    int64_t age_ms;        /* since then, by the wall clock; 0 or more */
    uint64_t received_ns;  /* when the bytes arrived here: CLOCK_MONOTONIC */
    size_t count;          /* endpoints */
} muster_list_info;

typedef struct muster_endpoint {
    size_t size;
    const char* id;  /* of the registration, unique in the registry */
    const char* box; /* as it was published */
    size_t box_size;
    const char* scheme; /* "" when none */
    const char* ip;     /* "" when the box is no endpoint */
    uint16_t port;      /* 0 when the box is no endpoint */
    uint32_t weight;
    int enabled;
    int healthy;
    const char* zone;
    const char* app;
    const char* client_address; /* of the publishing connection, as the registry saw it */
    size_t metadata_count;
    /* It came back (muster restore): picks give it a part of its weight, which grows evenly to all
     * of it within `ramp_ms` from `ramp_since_unix_ms` on. Both 0: it has its whole weight. */
    int64_t ramp_since_unix_ms;
    uint32_t ramp_ms;
} muster_endpoint;

MUSTER_API void muster_list_info_init(muster_list_info* info);
MUSTER_API void muster_endpoint_init(muster_endpoint* endpoint);

/* What these fill in points into the list and is valid as long as it is held. Errors:
 * INVALID_ARGUMENT; NOT_FOUND when `index` is not below the count. */
MUSTER_API muster_status muster_list_describe(const muster_list* list, muster_list_info* info);
MUSTER_API muster_status muster_list_at(const muster_list* list, size_t index,
                                        muster_endpoint* endpoint);

/* In the order of the keys. */
MUSTER_API muster_status muster_list_metadata_at(const muster_list* list, size_t index, size_t pair,
                                                 const char** key, const char** value);

/* NULL when there is no such key. */
MUSTER_API const char* muster_list_metadata(const muster_list* list, size_t index, const char* key);

/* One more holder; returns `list`. */
MUSTER_API const muster_list* muster_list_retain(const muster_list* list);
/* One holder less. NULL is fine. */
MUSTER_API void muster_list_release(const muster_list* list);

/* ---- subscribing ---------------------------------------------------------------------------- */

/* Number of a subscription within its client; 0 is none. */
typedef uint64_t muster_subscription;

/* Runs on the client's thread as soon as the bytes have arrived; the client waits for it, so let it
 * be short. `list` is valid during the call; retain it to keep it. The list is acknowledged to the
 * registry when all callbacks have returned: an instance that an operator drains may be stopped
 * from then on. */
typedef void (*muster_list_fn)(void* context, const muster_list* list);

typedef struct muster_subscription_spec {
    size_t size;
    const char* service; /* "tenant/group/name", "group/name" or "name" */
    muster_scope scope;  /* MUSTER_SCOPE_DATA_CENTER */
    const char* zone;    /* whose list in scope zone, and preferred in picks; NULL: the client's */
    muster_list_fn on_list; /* NULL: not told */
    void* context;
    void (*free_context)(void* context); /* NULL, or called once when no call can follow */
} muster_subscription_spec;

MUSTER_API void muster_subscription_spec_init(muster_subscription_spec* spec);

/* Each subscription is told the list it finds and every later one. Errors: INVALID_ARGUMENT,
 * OVER_LIMIT, CLOSED, FORKED. On failure free_context is not called. */
MUSTER_API muster_status muster_subscribe(muster_client* client,
                                          const muster_subscription_spec* spec,
                                          muster_subscription* subscription);

/* No call of on_list begins after it returned, and none is running unless it was called from within
 * it. It waits for a running one: hold no lock that on_list takes. Errors: NOT_FOUND, CLOSED,
 * FORKED. */
MUSTER_API muster_status muster_unsubscribe(muster_client* client,
                                            muster_subscription subscription);

/* A subscription that the services file made, by its service. Errors: INVALID_ARGUMENT, NOT_FOUND.
 */
MUSTER_API muster_status muster_find_subscription(muster_client* client, const char* service,
                                                  muster_subscription* subscription);

/* The newest list; release it. Errors: NOT_READY while nothing is known, NOT_FOUND. */
MUSTER_API muster_status muster_current_list(muster_client* client,
                                             muster_subscription subscription,
                                             const muster_list** list);

/* The same; waits for the first one. Errors: TIMEOUT, NOT_FOUND, WRONG_THREAD. */
MUSTER_API muster_status muster_await_list(muster_client* client, muster_subscription subscription,
                                           uint32_t timeout_ms, const muster_list** list);

/* ---- picking an endpoint -------------------------------------------------------------------- */

typedef enum muster_policy {
    MUSTER_WEIGHTED_RANDOM = 0,
    MUSTER_ROUND_ROBIN = 1,
    /* Of two random ones that with fewer calls under way for its weight (Mitzenmacher, "The power
     * of two choices in randomized load balancing", 2001). */
    MUSTER_LEAST_REQUESTS = 2,
    /* The same key goes to the same endpoint; one that leaves or joins moves only its own share
     * (weighted rendezvous hashing: Thaler and Ravishankar 1998, Schindelhauer and Schomaker 2005).
     * Time grows with the length of the list. */
    MUSTER_CONSISTENT_HASH = 3
} muster_policy;

typedef struct muster_pick_options {
    size_t size;
    muster_policy policy; /* MUSTER_WEIGHTED_RANDOM */
    const void* key;      /* MUSTER_CONSISTENT_HASH only */
    size_t key_size;
    int any_zone; /* 0: the own zone while it has a usable endpoint, else any; 1: any */
} muster_pick_options;

MUSTER_API void muster_pick_options_init(muster_pick_options* options);

/* A call to a picked endpoint: under way from muster_pick() to muster_call_end(). */
typedef struct muster_call muster_call;

/* Disabled and unhealthy endpoints and those of weight 0 are never picked. `options` may be NULL.
 * Errors: NOT_READY while no list is known, NOT_FOUND when no endpoint is usable. */
MUSTER_API muster_status muster_pick(muster_client* client, muster_subscription subscription,
                                     const muster_pick_options* options, muster_call** call);

/* Valid until muster_call_end(). */
MUSTER_API muster_status muster_call_endpoint(const muster_call* call, muster_endpoint* endpoint);
/* The list it was picked from, and where in it; valid until muster_call_end(). */
MUSTER_API const muster_list* muster_call_list(const muster_call* call, size_t* index);
/* Ends the call and frees it. Any thread, also after the client was closed. NULL is fine. */
MUSTER_API void muster_call_end(muster_call* call);

/* ---- stopping an instance without a lost call ------------------------------------------------ */

typedef struct muster_drain_report {
    size_t size;
    uint32_t instances;   /* at the address */
    uint32_t changed;     /* of them: by this call */
    uint32_t others;      /* instances of the service that lists still show */
    uint32_t subscribers; /* that are there */
    uint32_t behind;      /* of them: have not acknowledged a list without the instances */
    int confirmed;        /* 1: of a drain: all have acknowledged one */
    int gone;             /* 1: the instances left meanwhile */
    uint32_t waited_ms;   /* by the registry */
} muster_drain_report;

MUSTER_API void muster_drain_report_init(muster_drain_report* report);

/* Takes the instances of `service` at `address` ("ip:port") out of all lists, whoever registered
 * them, and waits until every subscriber has acknowledged a list without them: then they may be
 * stopped. They stay registered, and out of the lists, until muster_restore(). The same asked again
 * waits on. Waits for `timeout_ms`, at most 600000 (0: looks once), and up to 7 s more when the
 * registry does not answer. The history of the instances names the client's app as who asked, cut
 * to 64 bytes. `report` may be NULL; it is filled in also when it is not confirmed.
 * Errors: TIMEOUT (not confirmed; the message names who has not acknowledged), NOT_FOUND (no such
 * service, nothing at the address), INVALID_ARGUMENT, UNAVAILABLE (too many drains run there),
 * NOT_READY (no table of slots is known there yet), REFUSED (a server that is too old to know
 * drains), WRONG_THREAD (from within a callback), CLOSED, FORKED. */
MUSTER_API muster_status muster_drain(muster_client* client, const char* service,
                                      const char* address, uint32_t timeout_ms,
                                      muster_drain_report* report);

/* Shows them again; picks give them a part of their weight, which grows to all of it within
 * `ramp_ms`, at most 3600000. Waits for 10 s, and up to 7 s more. Errors: NOT_FOUND (nothing at the
 * address is drained), and those of muster_drain(). */
MUSTER_API muster_status muster_restore(muster_client* client, const char* service,
                                        const char* address, uint32_t ramp_ms,
                                        muster_drain_report* report);

/* ---- configuration values ------------------------------------------------------------------- */

/* Number of a watch within its client; 0 is none. */
typedef uint64_t muster_watch;

/* `value` is NULL when none is set. Runs on the client's thread; arguments are valid during the
 * call. */
typedef void (*muster_config_fn)(void* context, const char* key, const char* value,
                                 size_t value_size, uint64_t version);

/* `key` is written like a service. `on_config` is told the value it finds and every later one.
 * free_context as in muster_subscription_spec. Errors: as muster_subscribe(). */
MUSTER_API muster_status muster_watch_config(muster_client* client, const char* key,
                                             muster_config_fn on_config, void* context,
                                             void (*free_context)(void* context),
                                             muster_watch* watch);

/* As muster_unsubscribe(). */
MUSTER_API muster_status muster_unwatch_config(muster_client* client, muster_watch watch);

#ifdef __cplusplus
}
#endif

#endif
