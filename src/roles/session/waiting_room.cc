#include "roles/session/waiting_room.h"

#include <algorithm>

namespace muster::session {
namespace {

// What waits of a connection that is not read: one part of a turn in so many.
constexpr std::size_t kCrowd = 4;
// The share of a turn that is kept for a class when it waits: one part in so many; zero: none.
constexpr std::array<std::size_t, kUrgencyNames.size()> kShare{0, 8, 16};

constexpr std::size_t index(Urgency urgency) {
    return static_cast<std::size_t>(urgency);
}

// None: of no class.
std::optional<Urgency> urgency_of(const msg::ClientMessage& message) {
    if (std::holds_alternative<msg::RegisterPublishers>(message)) {
        return Urgency::registering;
    }
    if (const auto* subscribe = std::get_if<msg::Subscribe>(&message)) {
        return subscribe->once ? Urgency::asking : Urgency::subscribing;
    }
    if (const auto* watch = std::get_if<msg::WatchConfig>(&message)) {
        return watch->once ? Urgency::asking : Urgency::subscribing;
    }
    return std::nullopt;
}

bool is_of_publications(const msg::ClientMessage& message) {
    return std::holds_alternative<msg::RegisterPublishers>(message) ||
           std::holds_alternative<msg::UnregisterPublishers>(message);
}

std::size_t cost_of(const msg::ClientMessage& message) {
    std::size_t cost = 0;
    if (const auto* request = std::get_if<msg::RegisterPublishers>(&message)) {
        for (const PublicationPtr& publication : request->publications) {
            cost += bulk_of(*publication);
        }
    } else if (const auto* leaving = std::get_if<msg::UnregisterPublishers>(&message)) {
        cost = leaving->items.size();
    } else if (const auto* subscribe = std::get_if<msg::Subscribe>(&message)) {
        cost = subscribe->items.size();
    } else if (const auto* unsubscribe = std::get_if<msg::Unsubscribe>(&message)) {
        cost = unsubscribe->items.size();
    }
    return std::max(cost, std::size_t{1});
}

}  // namespace

bool WaitingRoom::has_room(Urgency urgency, std::size_t cost) {
    for (std::size_t i = 0; i <= index(urgency); ++i) {
        if (!lines_[i].entries.empty()) {
            return false;
        }
    }
    if (passed_ >= options_.at_once) {
        return false;
    }
    passed_ += cost;
    return true;
}

// The line it must stand in because something of its own connection waits there.
std::optional<Urgency> WaitingRoom::behind(env::ConnId conn,
                                           const msg::ClientMessage& message) const {
    const auto known = own_.find(conn);
    if (known == own_.end() || std::holds_alternative<msg::PushAck>(message)) {
        return std::nullopt;
    }
    const auto waits = [&](Urgency urgency) { return known->second.waiting[index(urgency)] > 0; };
    if (is_of_publications(message)) {
        return waits(Urgency::registering) ? std::optional(Urgency::registering) : std::nullopt;
    }
    for (const Urgency last : {Urgency::asking, Urgency::subscribing}) {
        if (waits(last)) {
            return last;
        }
    }
    return std::nullopt;
}

bool WaitingRoom::passes(env::ConnId conn, const msg::ClientMessage& message) {
    if (!own_.empty() && behind(conn, message)) {
        return false;
    }
    const auto urgency = urgency_of(message);
    return !urgency || has_room(*urgency, cost_of(message));
}

bool WaitingRoom::question_passes() {
    return has_room(Urgency::asking, 1);
}

bool WaitingRoom::closing_passes(env::ConnId conn) {
    const auto known = own_.find(conn);
    if (known == own_.end()) {
        return true;
    }
    Own& own = known->second;
    if (own.waiting[index(Urgency::registering)] == 0) {
        own_.erase(known);  // what is in the lines is of nobody now
        return true;
    }
    if (!own.closing) {
        own.closing = true;
        add(Urgency::registering, Closing{conn}, 1);
    }
    return false;
}

void WaitingRoom::put(env::ConnId conn, const msg::ClientMessage& message) {
    Urgency urgency = urgency_of(message).value_or(Urgency::registering);
    if (const auto last = behind(conn, message)) {
        urgency = std::max(urgency, *last);
    }
    const std::size_t cost = cost_of(message);
    Own& own = own_[conn];
    ++own.waiting[index(urgency)];
    own.cost += cost;
    add(urgency, Said{conn, message}, cost);
}

bool WaitingRoom::is_crowding(env::ConnId conn) {
    const auto known = own_.find(conn);
    if (known == own_.end() || known->second.stopped ||
        known->second.cost * kCrowd < options_.at_once) {
        return false;
    }
    known->second.stopped = true;
    stopped_.add();
    return true;
}

void WaitingRoom::put(Question question) {
    add(Urgency::asking, std::move(question), 1);
}

void WaitingRoom::add(Urgency urgency, Request request, std::size_t cost) {
    Line& to = line(urgency);
    to.entries.push_back({std::move(request), cost});
    to.cost += cost;
    to.waited.add();
}

std::size_t WaitingRoom::max_of(std::size_t line) const {
    switch (static_cast<Urgency>(line)) {
        case Urgency::registering: return options_.registers_max;
        case Urgency::subscribing: return options_.subscribes_max;
        case Urgency::asking: return options_.queries_max;
    }
    return 0;
}

bool WaitingRoom::is_full() const {
    const std::size_t asking = index(Urgency::asking);
    return lines_[asking].cost >= max_of(asking);
}

bool WaitingRoom::empty() const {
    return std::ranges::all_of(lines_, [](const Line& line) { return line.entries.empty(); });
}

std::optional<WaitingRoom::Request> WaitingRoom::take_excess() {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        while (lines_[i].cost > max_of(i)) {
            lines_[i].excess.add();
            if (auto request = pop(i)) {
                return request;
            }
        }
    }
    return std::nullopt;
}

void WaitingRoom::begin_turn() {
    passed_ = 0;
    taken_ = 0;
    for (Line& line : lines_) {
        line.served = false;
    }
}

// Whether the turn has room for one more of the line: the shares of later lines that wait are
// theirs.
bool WaitingRoom::may_take(std::size_t line) const {
    std::size_t kept = 0;
    for (std::size_t i = line + 1; i < lines_.size(); ++i) {
        kept += lines_[i].entries.empty() ? 0 : options_.at_once / kShare[i];
    }
    return !lines_[line].served || taken_ + kept < options_.at_once;
}

std::optional<WaitingRoom::Request> WaitingRoom::take() {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        while (!lines_[i].entries.empty() && may_take(i)) {
            const std::size_t cost = lines_[i].entries.front().cost;
            if (auto request = pop(i)) {
                lines_[i].served = true;
                taken_ += cost;
                return request;
            }
        }
    }
    return std::nullopt;
}

// None: it was of a connection that is gone.
std::optional<WaitingRoom::Request> WaitingRoom::pop(std::size_t line) {
    Line& from = lines_[line];
    Entry entry = std::move(from.entries.front());
    from.entries.pop_front();
    from.cost -= entry.cost;
    if (!is_live(line, entry)) {
        return std::nullopt;
    }
    return std::move(entry.request);
}

// Forgets that it waits.
bool WaitingRoom::is_live(std::size_t line, const Entry& entry) {
    if (const auto* closing = std::get_if<Closing>(&entry.request)) {
        own_.erase(closing->conn);
        return true;
    }
    const auto* said = std::get_if<Said>(&entry.request);
    if (said == nullptr) {
        return true;
    }
    const auto known = own_.find(said->conn);
    if (known == own_.end()) {
        return false;
    }
    Own& own = known->second;
    --own.waiting[line];
    own.cost -= entry.cost;
    if (own.stopped && own.cost * 2 * kCrowd <= options_.at_once) {
        own.stopped = false;
        relieved_.push_back(said->conn);
    }
    const bool live = !own.closing || line == index(Urgency::registering);
    if (!own.closing && std::ranges::all_of(own.waiting, [](auto count) { return count == 0; })) {
        own_.erase(known);
    }
    return live;
}

void WaitingRoom::write_metrics(MetricsWriter& writer) const {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        writer.gauge("muster_session_requests_waiting",
                     "Requests that wait for their turn, by what they want.",
                     static_cast<std::int64_t>(lines_[i].entries.size()),
                     {{"class", kUrgencyNames[i]}});
        writer.counter("muster_session_requests_waited_total",
                       "Requests that were not carried out as they came.", lines_[i].waited.value(),
                       {{"class", kUrgencyNames[i]}});
        writer.counter("muster_session_requests_excess_total",
                       "Requests carried out before their turn because too many waited.",
                       lines_[i].excess.value(), {{"class", kUrgencyNames[i]}});
    }
    writer.counter("muster_session_readings_stopped_total",
                   "Times a connection was not read because too much of it waited.",
                   stopped_.value());
    writer.counter("muster_session_requests_refused_total",
                   "Requests refused because too many waited.", refused_.value(),
                   {{"class", kUrgencyNames[index(Urgency::asking)]}});
}

}  // namespace muster::session
