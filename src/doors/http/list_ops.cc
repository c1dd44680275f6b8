#include "doors/http/list_ops.h"

#include <algorithm>

#include "doors/http/call.h"
#include "doors/http/json_view.h"

namespace muster::http {
namespace {

constexpr RegistOrder kSubscribed{.version = 1};
constexpr RegistOrder kUnsubscribed{.version = 2};

}  // namespace

msg::PushAck ack_of(const ServicePtr& service, Scope scope, const std::string& zone,
                    Version version) {
    return {.service = service, .scope = scope, .zone = zone, .version = version};
}

void ListOp::start(OpHost& host) {
    const auto number = host.next_number();
    id_ = RegistId("http-" + std::to_string(number));
    request_ = msg::RequestId(number);
    host.set_deadline(wish_.known_within);
    Subscription subscription{.id = id_,
                              .service = wish_.service,
                              .order = kSubscribed,
                              .scope = wish_.scope,
                              .zone = wish_.zone};
    msg::Subscribe subscribe{.request = request_, .once = once()};
    subscribe.items.push_back({.subscription = std::move(subscription)});
    host.tell(std::move(subscribe));
}

void ListOp::on_reply(OpHost& host, const msg::RequestReply& reply) {
    if (reply.request != request_) {
        return;
    }
    for (const auto& outcome : reply.outcomes) {
        if (!outcome.result) {
            host.fail(outcome.result.error());
            return;
        }
    }
}

Ack ListOp::on_push(OpHost& host, ListPush& push, std::span<const std::string_view> subscribers) {
    const bool is_ours = std::ranges::find(subscribers, id_.raw()) != subscribers.end();
    const ServiceView& view = *push.view();
    if (!is_ours || (!view.complete && view.publications.empty())) {
        return Ack::now;
    }
    return on_list(host, push);
}

void ListOp::stop(OpHost& host) {
    msg::Unsubscribe unsubscribe{.request = msg::RequestId(host.next_number())};
    unsubscribe.items.push_back({.id = id_, .service = wish_.service, .order = kUnsubscribed});
    host.tell(std::move(unsubscribe));
}

void ListOp::fail_not_ready(OpHost& host) const {
    host.fail({Errc::not_ready, "the list of " + wish_.service->path() + " did not become known " +
                                    "within " + std::to_string(to_ms(wish_.known_within)) + " ms"});
}

void OneShotOp::on_deadline(OpHost& host) {
    fail_not_ready(host);
}

Ack OneShotOp::on_list(OpHost& host, ListPush& push) {
    host.finish(json_response(list_json(*push.view())));
    return Ack::now;
}

void LongPollOp::on_deadline(OpHost& host) {
    if (seen_) {
        host.finish(json_response(unchanged_json(*wish().service, *seen_)));
    } else {
        fail_not_ready(host);
    }
}

Ack LongPollOp::on_list(OpHost& host, ListPush& push) {
    const Version version = push.view()->version;
    if (!above_ || version > *above_) {
        host.finish(json_response(changed_json(*push.view())));
    } else {
        if (!seen_) {
            host.set_deadline(timeout_);
        }
        seen_ = version;
    }
    return Ack::now;
}

void EventStreamOp::on_deadline(OpHost& host) {
    if (!streaming_) {
        fail_not_ready(host);
        return;
    }
    if (!host.congested()) {
        congested_for_ = {};
        host.send(": still here\n\n");
    } else {
        congested_for_ += options_.keep_alive;
        if (congested_for_ >= options_.slow_reader) {
            host.give_up_slow_reader();
            return;
        }
    }
    host.set_deadline(options_.keep_alive);
}

void EventStreamOp::on_drained(OpHost& host) {
    congested_for_ = {};
    acknowledge(host);
}

Ack EventStreamOp::on_list(OpHost& host, ListPush& push) {
    if (!streaming_) {
        streaming_ = true;
        host.begin_stream(
            {.content_type = "text/event-stream", .headers = {{"Cache-Control", "no-store"}}});
        host.send("retry: 1000\n\n");
        host.set_deadline(options_.keep_alive);
    }
    const ServiceView& view = *push.view();
    const bool newer = !shown_ || view.version > *shown_;
    const bool completes = view.version == shown_ && view.complete && !shown_complete_;
    if (!newer && !completes) {
        return Ack::now;
    }
    shown_ = view.version;
    shown_complete_ = view.complete;
    host.send(push.event());
    if (!host.congested()) {
        return Ack::now;
    }
    unacknowledged_ = view.version;
    return Ack::later;
}

void EventStreamOp::acknowledge(OpHost& host) {
    if (unacknowledged_) {
        host.tell(ack_of(wish().service, wish().scope, wish().zone, *unacknowledged_));
        unacknowledged_.reset();
    }
}

}  // namespace muster::http
