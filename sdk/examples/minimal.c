/* The C face: registers, subscribes to the same service, shows the list, leaves.
 *   minimal [SERVERS] */
#include <muster/muster.h>
#include <stdio.h>

static int failed(const char* what) {
    fprintf(stderr, "%s: %s\n", what, muster_error_message());
    return 1;
}

int main(int argc, char** argv) {
    /* [open] */
    muster_options options;
    muster_options_init(&options);
    options.servers = argc > 1 ? argv[1] : NULL;
    muster_client* client = NULL;
    if (muster_client_open(&options, &client) != MUSTER_OK) {
        return failed("open");
    }
    muster_endpoint_spec spec;
    muster_endpoint_spec_init(&spec);
    spec.service = "minimal";
    spec.ip = "127.0.0.1";
    spec.port = 8080;
    muster_registration registration = 0;
    if (muster_register(client, &spec, &registration) != MUSTER_OK) {
        return failed("register");
    }
    if (muster_await_registered(client, registration, 5000) != MUSTER_OK) {
        return failed("registered");
    }
    /* [open] */
    muster_subscription_spec wish;
    muster_subscription_spec_init(&wish);
    wish.service = "minimal";
    muster_subscription subscription = 0;
    if (muster_subscribe(client, &wish, &subscription) != MUSTER_OK) {
        return failed("subscribe");
    }
    const muster_list* list = NULL;
    if (muster_await_list(client, subscription, 5000, &list) != MUSTER_OK) {
        return failed("list");
    }
    muster_list_info info;
    muster_list_info_init(&info);
    muster_list_describe(list, &info);
    for (size_t i = 0; i < info.count; ++i) {
        muster_endpoint endpoint;
        muster_endpoint_init(&endpoint);
        muster_list_at(list, i, &endpoint);
        printf("%s %s:%u weight %u\n", info.service, endpoint.ip, (unsigned)endpoint.port,
               (unsigned)endpoint.weight);
    }
    muster_list_release(list);
    if (muster_client_close(client, 0) != MUSTER_OK) {
        return failed("close");
    }
    muster_client_release(client);
    return 0;
}
