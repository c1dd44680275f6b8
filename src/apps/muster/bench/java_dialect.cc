#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "apps/load/java_frames.h"
#include "apps/load/native_frames.h"
#include "apps/muster/bench/audience.h"
#include "apps/muster/bench/dialect.h"

namespace muster::cli::bench {
namespace {

// Of frames; after it they begin again with 1.
constexpr std::uint32_t kLastNumber = 0x3fff'ffff;

// Requests of several items are several frames, whose answers become one. Bounds: one small record
// for each frame that was not answered.
class JavaDialect final : public Dialect {
public:
    explicit JavaDialect(const RunNames& names) : names_(names) {}

    std::string say(const msg::ClientMessage& message) override {
        return std::visit([&](const auto& body) { return frames(body); }, message);
    }
    [[nodiscard]] std::string heartbeat() const override {
        return load::java_heartbeat();
    }
    Result<Heard> hear(const bolt::Frame& frame) override;

private:
    // A request of the run, some of whose frames have been answered.
    struct Open {
        msg::RequestReply reply;
        std::size_t left = 0;
    };
    // Which item of which request a frame was.
    struct Item {
        std::uint64_t request = 0;
        std::size_t index = 0;
    };

    std::string frames(const msg::RegisterPublishers& request);
    std::string frames(const msg::UnregisterPublishers& request);
    std::string frames(const msg::Subscribe& request);
    std::string frames(const msg::Unsubscribe& request);
    // A push is acknowledged when it is heard; configuration values are not asked for.
    std::string frames(const auto& /*message*/) {
        return {};
    }
    // `frame_of(item, number)` of each item, all of which make up the request's answer.
    std::string each(msg::RequestId request, const auto& items, const auto& frame_of);

    [[nodiscard]] std::optional<Heard::Answer> take_answer(const bolt::Frame& frame);
    [[nodiscard]] msg::Push push_of(load::JavaPush told) const;

    const RunNames& names_;
    std::uint32_t last_ = 0;
    std::unordered_map<std::uint32_t, Item> items_;  // by id of the frame, unique in a run
    std::unordered_map<std::uint64_t, Open> open_;
};

// The state of a registration that a publication, subscription or the end of one names.
load::JavaState state_of(const auto& item, std::int32_t number) {
    return {.service = *item.service, .id = item.id.raw(), .order = item.order, .request = number};
}

load::JavaState last_state_of(const auto& item, std::int32_t number) {
    load::JavaState state = state_of(item, number);
    state.leaves = true;
    return state;
}

std::string JavaDialect::each(msg::RequestId request, const auto& items, const auto& frame_of) {
    open_[request.raw()] = {
        .reply = {.request = request,
                  .outcomes = std::vector<msg::RequestReply::Outcome>(items.size())},
        .left = items.size()};
    std::string bytes;
    for (std::size_t i = 0; i < items.size(); ++i) {
        last_ = last_ % kLastNumber + 1;
        items_[last_] = {.request = request.raw(), .index = i};
        bytes += frame_of(items[i], static_cast<std::int32_t>(last_));
    }
    return bytes;
}

std::string JavaDialect::frames(const msg::RegisterPublishers& request) {
    return each(request.request, request.publications, [](const auto& one, std::int32_t number) {
        return load::java_publisher(state_of(*one, number), {one->boxes.begin(), one->boxes.end()});
    });
}

std::string JavaDialect::frames(const msg::UnregisterPublishers& request) {
    return each(request.request, request.items, [](const auto& one, std::int32_t number) {
        return load::java_publisher(last_state_of(one, number), {});
    });
}

std::string JavaDialect::frames(const msg::Subscribe& request) {
    return each(request.request, request.items, [](const auto& one, std::int32_t number) {
        const Subscription& wish = one.subscription;
        return load::java_subscriber(state_of(wish, number), wish.scope);
    });
}

std::string JavaDialect::frames(const msg::Unsubscribe& request) {
    return each(request.request, request.items, [](const auto& one, std::int32_t number) {
        return load::java_subscriber(last_state_of(one, number), Scope::data_center);
    });
}

Result<Dialect::Heard> JavaDialect::hear(const bolt::Frame& frame) {
    Heard heard;
    if (frame.head.is_response()) {
        heard.answer = take_answer(frame);
    } else if (load::is_java_push(frame)) {
        auto told = load::java_push(frame);
        if (!told) {
            return std::unexpected(std::move(told).error());
        }
        heard.at_once = load::java_ack(frame);
        heard.push = push_of(std::move(*told));
    }
    return heard;
}

std::optional<Dialect::Heard::Answer> JavaDialect::take_answer(const bolt::Frame& frame) {
    const auto item = items_.extract(static_cast<std::uint32_t>(frame.head.request_id));
    const auto open = item ? open_.find(item.mapped().request) : open_.end();
    if (open == open_.end()) {
        return std::nullopt;
    }
    open->second.reply.outcomes[item.mapped().index].result = load::java_answer(frame);
    if (--open->second.left > 0) {
        return std::nullopt;
    }
    Heard::Answer answer{.request = static_cast<std::uint32_t>(open->first),
                         .reply = std::move(open->second.reply)};
    open_.erase(open);
    return answer;
}

// Boxes of others than this run say nothing.
msg::Push JavaDialect::push_of(load::JavaPush told) const {
    auto view = std::make_shared<ServiceView>();
    const auto service = names_.service_number(told.service.data_id);
    for (const std::string& box : told.boxes) {
        const auto state = service ? RunNames::state_in(box) : std::nullopt;
        if (!state) {
            continue;
        }
        auto made = std::make_shared<Publication>();
        made->id = RegistId(names_.entry(*service, state->entry));
        made->order.version = state->version;
        view->publications.push_back(std::move(made));
    }
    view->service = std::make_shared<const Service>(std::move(told.service));
    view->version = told.version;
    view->complete = true;
    return {.view = std::move(view), .scope = told.scope, .zone = {}, .subscribers = {}};
}

}  // namespace

std::unique_ptr<Dialect> java_dialect(const RunNames& names) {
    return std::make_unique<JavaDialect>(names);
}

}  // namespace muster::cli::bench
