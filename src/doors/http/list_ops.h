#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "doors/http/op.h"
#include "model/datum.h"
#include "model/subscription.h"

namespace muster::http {

// Whose list is wanted.
struct ListWish {
    ServicePtr service;
    Scope scope = Scope::data_center;
    std::string zone;
    Duration known_within{};  // a list that is not known by then is answered with not_ready
};

// A subscription that lives as long as one request. A list is known when it is complete, or shows
// somebody: an empty incomplete one says nothing.
class ListOp : public Op {
public:
    explicit ListOp(ListWish wish) : wish_(std::move(wish)) {}

    void start(OpHost& host) final;
    void on_reply(OpHost& host, const msg::RequestReply& reply) final;
    Ack on_push(OpHost& host, ListPush& push, std::span<const std::string_view> subscribers) final;
    void stop(OpHost& host) final;

protected:
    // A list that is known, of this subscription.
    virtual Ack on_list(OpHost& host, ListPush& push) = 0;

    // Whether one list is all it wants (msg::Subscribe).
    [[nodiscard]] virtual bool once() const {
        return false;
    }

    void fail_not_ready(OpHost& host) const;

    [[nodiscard]] const ListWish& wish() const {
        return wish_;
    }

private:
    ListWish wish_;
    RegistId id_;
    msg::RequestId request_;
};

// GET .../instances: the first known list.
class OneShotOp final : public ListOp {
public:
    using ListOp::ListOp;
    void on_deadline(OpHost& host) override;

private:
    Ack on_list(OpHost& host, ListPush& push) override;
    [[nodiscard]] bool once() const override {
        return true;
    }
};

// GET .../watch: the first known list above a version, or "unchanged" after a time.
class LongPollOp final : public ListOp {
public:
    // `above` none: any.
    LongPollOp(ListWish wish, std::optional<Version> above, Duration timeout)
        : ListOp(within(std::move(wish), timeout)), above_(above), timeout_(timeout) {}

    void on_deadline(OpHost& host) override;
    [[nodiscard]] bool is_stream() const override {
        return true;
    }

private:
    // No list is waited for longer than for its change.
    [[nodiscard]] static ListWish within(ListWish wish, Duration timeout) {
        wish.known_within = std::min(wish.known_within, timeout);
        return wish;
    }
    Ack on_list(OpHost& host, ListPush& push) override;

    std::optional<Version> above_;
    Duration timeout_;
    std::optional<Version> seen_;
};

struct EventStreamOptions {
    Duration keep_alive = std::chrono::seconds(10);
    // A reader that stays congested for so long is given up.
    Duration slow_reader = std::chrono::seconds(30);
};

// GET .../events: every list from now on, as Server-Sent Events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html). A list is acknowledged to the
// session when it fits into the connection, so a slow reader is shown the newest state only.
//
//   waiting (no head sent) -> streaming <-> congested -> given up
class EventStreamOp final : public ListOp {
public:
    EventStreamOp(ListWish wish, std::optional<Version> last_seen, EventStreamOptions options)
        : ListOp(std::move(wish)), shown_(last_seen), options_(options) {}

    void on_deadline(OpHost& host) override;
    void on_drained(OpHost& host) override;
    [[nodiscard]] bool is_stream() const override {
        return true;
    }

private:
    Ack on_list(OpHost& host, ListPush& push) override;
    void acknowledge(OpHost& host);

    std::optional<Version> shown_;  // the client has it
    bool shown_complete_ = true;
    EventStreamOptions options_;
    bool streaming_ = false;
    Duration congested_for_{};
    std::optional<Version> unacknowledged_;
};

// The acknowledgement of a push of one list.
[[nodiscard]] msg::PushAck ack_of(const ServicePtr& service, Scope scope, const std::string& zone,
                                  Version version);

}  // namespace muster::http
