#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/datum.h"
#include "model/publication.h"
#include "msg/client.h"
#include "msg/client_mark.h"

// Messages with every field filled, for tests, corpus and bench.
namespace muster::native::sample {

inline ServicePtr service(std::string data_id = "orders") {
    return std::make_shared<const Service>(
        Service{.tenant = "shop", .group = "rpc", .data_id = std::move(data_id)});
}

inline PublicationPtr publication(const std::string& id, std::int64_t version = 3) {
    Publication made{.id = RegistId(id),
                     .service = service(),
                     .order = {.version = version, .timestamp_ms = 1'700'000'000'123},
                     .zone = "cell-a",
                     .app = "checkout",
                     .client_address = "10.0.0.7:41234"};
    made.boxes = {"10.0.0.7:12200?weight=10", "", std::string("\0\xff\x80", 3)};
    made.attributes = {{"color", "gr\xc3\xbcn"}};
    return std::make_shared<const Publication>(std::move(made));
}

inline std::vector<msg::ClientMessage> requests() {
    const RegistOrder order{.version = 7, .timestamp_ms = 1'700'000'000'456};
    const Subscription wish{.id = RegistId("sub-1"),
                            .service = service(),
                            .order = order,
                            .scope = Scope::data_center,
                            .zone = "cell-b",
                            .app = "web"};
    const Watch watch{.id = RegistId("w-1"), .key = service("switches"), .order = order};
    const msg::RequestId request(42);
    return {
        msg::RegisterPublishers{.request = request,
                                .publications = {publication("pub-1"), publication("pub-2", -1)},
                                .lease = std::chrono::seconds(30)},
        msg::UnregisterPublishers{
            .request = request,
            .items = {{.id = RegistId("pub-1"), .service = service(), .order = order},
                      {.id = RegistId("pub-2"), .service = service("other"), .order = order}}},
        msg::Subscribe{.request = request,
                       .items = {{.subscription = wish,
                                  .held = Version(1'000'000),
                                  .held_digest = {.low = 1, .high = UINT64_MAX}},
                                 {.subscription = wish}}},
        msg::Unsubscribe{
            .request = request,
            .items = {{.id = RegistId("sub-1"), .service = service(), .order = order}}},
        msg::WatchConfig{.request = request, .watch = watch},
        msg::UnwatchConfig{.request = request, .watch = watch},
        msg::PushAck{.service = service(),
                     .scope = Scope::global,
                     .zone = "cell-a",
                     .version = Version(5),
                     .ok = false},
    };
}

inline msg::MarkWish mark_wish() {
    return {.request = msg::RequestId(42),
            .service = service(),
            .address = "10.0.0.7:12200",
            .kind = Mark::Kind::restored,
            .timeout = std::chrono::seconds(30),
            .ramp = std::chrono::milliseconds(1500),
            .asked_by = "shop-web"};
}

inline msg::MarkOutcome mark_outcome() {
    return {.request = msg::RequestId(42),
            .ids = {RegistId("pub-1"), RegistId("pub-2")},
            .changed = 1,
            .others = 3,
            .confirmed = true,
            .gone = true,
            .lists = 9,
            .behind = 2,
            .lines = {{.client_address = "10.0.0.8:1", .app = "web", .session = "s1"},
                      {.client_address = "10.0.0.9:1", .app = {}, .session = "s2"}},
            .silent = {"s3"},
            .lacking = {"d1", "d2"},
            .waited = std::chrono::milliseconds(77)};
}

inline ServiceViewPtr view() {
    auto made = std::make_shared<ServiceView>();
    made->service = service();
    made->version = Version(std::uint64_t{1'700'000'000'000} << kVersionCountBits);
    made->complete = true;
    for (const auto* id : {"pub-1", "pub-2", "pub-3"}) {
        made->publications.push_back(publication(id));
        made->digest.add(
            digest_of(made->publications.back()->id, made->publications.back()->order));
    }
    return made;
}

inline msg::Push full_push() {
    return {.view = view(),
            .scope = Scope::data_center,
            .zone = "cell-b",
            .subscribers = {RegistId("sub-1"), RegistId("sub-2")}};
}

inline msg::Push delta_push() {
    msg::Push push = full_push();
    push.delta =
        std::make_shared<const ViewDelta>(ViewDelta{.from = Version(push.view->version.raw() - 4),
                                                    .to = push.view->version,
                                                    .upserts = {publication("pub-2")},
                                                    .removals = {RegistId("gone-1")}});
    return push;
}

inline msg::RequestReply reply() {
    return {.request = msg::RequestId(42),
            .outcomes = {{.id = RegistId("pub-1"), .version = 3, .result = {}},
                         {.id = RegistId("pub-2"),
                          .version = 4,
                          .result = fail(Errc::over_limit, "at most 10 registrations")}}};
}

}  // namespace muster::native::sample
