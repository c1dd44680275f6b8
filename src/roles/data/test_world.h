#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "env/manual_time.h"
#include "env/memory_disk.h"
#include "roles/data/data.h"

// Data servers that exchange messages over a network that a test cuts at will, sessions of a few
// lines, and a meta that is the test itself.
namespace muster::data::test {

using namespace std::chrono_literals;

inline ServicePtr service(const std::string& name) {
    return std::make_shared<const Service>(Service{.data_id = name});
}

class World;

// A session as the leaders of slots see one: it owns publications, answers questions for detail,
// and folds what it is told.
class TestSession {
public:
    struct Copy {
        Version version;
        bool complete = false;
        std::set<std::string> ids;
        std::map<RegistId, SetDigest> shown;  // as shown_digest_of()
        std::vector<Departure> departed;      // as changes told

        [[nodiscard]] bool saw_leave(const Publication& publication) const {
            return std::ranges::any_of(departed, [&](const Departure& gone) {
                return gone.id == publication.id && publication.order <= gone.order &&
                       gone.connection.value_or(connection_of(publication)) ==
                           connection_of(publication);
            });
        }
    };

    TestSession(World& world, const std::string& name, std::uint64_t life = 1)
        : node(name), life_(life), world_(world) {}

    void publish(const std::string& id, const ServicePtr& of, bool acting = false);
    void withdraw(const std::string& id, bool acting = false);
    // Its client's socket closed, or `confirmed`: is gone after all.
    void close(const std::string& id, bool confirmed = false);
    void fall_silent(const std::string& id);
    void drop(const std::string& id, OperatorWord word);  // held, and an operator confirms
    void want(const ServicePtr& of, bool acting = false);
    // Digests of all slots, to whom the table says or to `to`.
    void beat(const NodeId& to = {});
    void on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message);

    const NodeId node;
    std::map<std::string, Copy> copies;  // by data id
    std::vector<msg::NotLeading::Item> refused;
    std::size_t snapshots = 0;
    std::size_t changes = 0;
    std::size_t compared = 0;  // of these, whose digest was that of its list
    std::size_t details = 0;
    std::map<std::string, std::size_t> acked;  // by outcome
    NodeId acting_node;                        // who acts, when told so
    std::size_t part_max = 2000;               // publications that one detail names
    std::map<std::string, std::string> boxes;  // of some registrations; others say what they are
    bool complete = true;                      // all its clients are back
    std::int64_t got_us = 0;                   // what it says of when it got a write
    std::vector<Trace> traces;                 // of the changes it was told

private:
    void end(const std::string& id, RemovalCause cause, bool confirmed);
    void fold(const std::variant<DatumChange, DatumSnapshot>& change);
    [[nodiscard]] NodeId target(SlotId slot, bool acting) const;
    [[nodiscard]] Epoch epoch(SlotId slot) const;

    std::uint64_t life_;
    World& world_;
    std::map<std::string, msg::PublishBatch::Op> own_;
    std::map<std::string, ServicePtr> wanted_;
    std::map<NodeId, std::uint64_t> parts_;
    std::map<NodeId, std::uint64_t> rounds_;
    std::uint64_t seq_ = 0;
    std::uint64_t batch_ = 0;
};

class World {
public:
    explicit World(std::vector<std::string> nodes, DataOptions options = {}) {
        for (const std::string& name : nodes) {
            start(name, options);
        }
    }

    void start(const std::string& name, DataOptions options = {}) {
        options.node = NodeId(name);
        options.metas = {NodeId("m1")};
        options.incarnation = Incarnation(++lives_);
        nodes_[options.node] = std::make_unique<Node>(*this, options);
        told_.erase(options.node);
    }
    // Nodes started from now on keep what they know of the cluster.
    void give_disks() {
        disks_given_ = true;
    }
    // And note there what becomes of publications.
    void note_to(history::Recorder& recorder) {
        history_ = &recorder;
    }
    [[nodiscard]] env::MemoryDisk& disk(const std::string& name) {
        return disks_[NodeId(name)];
    }
    void kill(const std::string& name) {
        nodes_.erase(NodeId(name));
        disks_[NodeId(name)].crash({});
    }
    TestSession& session(const std::string& name, std::uint64_t life = 1) {
        auto& made = sessions_[NodeId(name)];
        made = std::make_unique<TestSession>(*this, name, life);
        std::erase_if(members_, [&](const Member& member) { return member.node == NodeId(name); });
        members_.push_back({.node = NodeId(name),
                            .role = Role::session,
                            .address = "",
                            .incarnation = Incarnation(life)});
        ++members_epoch_;
        return *made;
    }
    DataServer& operator[](const std::string& name) {
        return nodes_.at(NodeId(name))->server;
    }

    // The metas agree that these hold the slots (leader first); all but `uninformed` hear of it.
    void assign(std::vector<std::string> holders, std::set<std::string> uninformed = {}) {
        const bool moved = table.slots.empty() || table.slots[0].leader != NodeId(holders[0]);
        table.epoch = Epoch(table.epoch.raw() + 1);
        table.slots.resize(slots);
        for (Slot& slot : table.slots) {
            slot.leader = NodeId(holders[0]);
            slot.followers.clear();
            for (std::size_t i = 1; i < holders.size(); ++i) {
                slot.followers.emplace_back(holders[i]);
            }
            if (moved) {
                slot.epoch = table.epoch;
            }
        }
        uninformed_ = {uninformed.begin(), uninformed.end()};
        tell_table();
        run();
    }
    void tell_table() {
        for (auto& [node, life] : nodes_) {
            if (!uninformed_.contains(node.raw())) {
                life->server.on_message({NodeId("m1"), Role::meta}, reply(life->life));
            }
        }
    }

    void cut(const std::string& a, const std::string& b) {
        cuts_.insert({NodeId(a), NodeId(b)});
        cuts_.insert({NodeId(b), NodeId(a)});
    }
    void heal() {
        cuts_.clear();
    }
    // Says which messages are lost.
    std::function<bool(const msg::RoleAddress& from, const msg::RoleAddress& to,
                       const msg::ClusterMessage&)>
        lose = [](const auto&, const auto&, const auto&) { return false; };

    // Delivers until nothing is on its way.
    void run() {
        while (!way_.empty()) {
            auto [from, to, message] = std::move(way_.front());
            way_.pop_front();
            ++sent[message.index()];
            if (const auto* reply = std::get_if<msg::BrakeReply>(&message)) {
                brake_reply = *reply;
            } else if (const auto* marked = std::get_if<msg::MarkReply>(&message)) {
                mark_reply = *marked;
            } else if (const auto* history = std::get_if<msg::HistoryReply>(&message)) {
                history_reply = *history;
            }
            if (cuts_.contains({from.node, to.node}) || lose(from, to, message)) {
                continue;
            }
            if (to.role == Role::data) {
                if (const auto node = nodes_.find(to.node); node != nodes_.end()) {
                    node->second->server.on_message(from, message);
                }
            } else if (to.role == Role::session) {
                if (const auto known = sessions_.find(to.node); known != sessions_.end()) {
                    known->second->on_message(from, message);
                }
            } else if (const auto* beat = std::get_if<msg::NodeHeartbeat>(&message)) {
                heartbeats[from.node] = *beat;
                for (const auto& copy : beat->copies) {
                    reported[from.node][copy.slot] = copy;
                }
            }
        }
    }
    // Time passes for all; sessions in `silent` send nothing.
    void pass(Duration span, const std::set<std::string>& silent = {}) {
        for (Duration passed{}; passed < span; passed += 50ms) {
            clock_.advance(50ms);
            for (auto& [node, life] : nodes_) {
                if (!stopped.contains(node.raw())) {
                    life->timers.fire_due();
                }
            }
            for (auto& [node, disk] : disks_) {
                disk.pump_all();
            }
            if (++steps_ % 5 == 0) {
                for (auto& [node, session] : sessions_) {
                    if (!silent.contains(node.raw())) {
                        session->beat(session->acting_node);
                    }
                }
            }
            run();
        }
    }

    [[nodiscard]] MonoTime now() const {
        return clock_.mono();
    }
    [[nodiscard]] std::int64_t wall_us() const {
        return clock_.wall_us();
    }

    // What a node's copy of a slot holds.
    msg::VerifyReply::Copy copy(const std::string& node, SlotId slot = SlotId(0)) {
        nodes_.at(NodeId(node))
            ->server.on_message({NodeId("check"), Role::session}, msg::VerifyRequest{.request = 1});
        msg::VerifyReply::Copy found{.slot = SlotId(9999)};
        for (auto& [from, to, message] : way_) {
            if (const auto* reply = std::get_if<msg::VerifyReply>(&message)) {
                for (const auto& copy : reply->copies) {
                    if (copy.slot == slot) {
                        found = copy;
                    }
                }
            }
        }
        run();
        return found;
    }

    // An operator asks a node about its brake.
    msg::BrakeReply ask_brake(const std::string& node, const msg::BrakeRequest& request) {
        brake_reply = {};
        send({NodeId("operator"), Role::session}, {NodeId(node), Role::data}, request);
        run();
        return brake_reply;
    }

    // An operator marks an instance.
    msg::MarkReply ask_mark(const std::string& node, const msg::MarkRequest& request) {
        mark_reply = {};
        send({NodeId("operator"), Role::session}, {NodeId(node), Role::data}, request);
        run();
        return mark_reply;
    }

    // An operator asks what became of instances; the answer comes to history_reply.
    void ask_history(const std::string& node, const msg::HistoryRequest& request) {
        history_reply.reset();
        send({NodeId("operator"), Role::session}, {NodeId(node), Role::data}, request);
        run();
    }

    void send(const msg::RoleAddress& from, const msg::RoleAddress& to,
              msg::ClusterMessage message) {
        way_.push_back({from, to, std::move(message)});
    }
    void link(const std::string& node, const std::string& of, msg::LinkEvent event) {
        nodes_.at(NodeId(node))->server.on_link(NodeId(of), event);
        run();
    }

    std::string braking;  // what the metas say of the cluster's brake
    msg::BrakeReply brake_reply;
    msg::MarkReply mark_reply;
    std::optional<msg::HistoryReply> history_reply;
    std::size_t slots = 1;
    SlotTable table;
    std::map<NodeId, msg::NodeHeartbeat> heartbeats;
    std::map<NodeId, std::map<SlotId, msg::CopyState>> reported;
    std::map<std::size_t, std::size_t> sent;  // by kind of message
    std::set<std::string> stopped;            // nodes whose process stands still

    template <typename Message>
    std::size_t count() {
        return sent[msg::ClusterMessage(Message{}).index()];
    }

private:
    struct Node final : msg::Outbox {
        Node(World& of, const DataOptions& options)
            : world(of),
              self{options.node, Role::data},
              life(options.incarnation),
              timers(of.clock_),
              server(options, {.clock = of.clock_,
                               .timers = timers,
                               .outbox = *this,
                               .log = Log(of.quiet_, LogLevel::error),
                               .disk = of.disks_given_ ? &of.disks_[options.node] : nullptr,
                               .history = of.history_}) {
            timers.attach(server);
            of.disks_[options.node].attach(server);
            server.start();
        }
        void send(const msg::RoleAddress& to, msg::ClusterMessage message) override {
            world.send(self, to, std::move(message));
        }
        World& world;
        msg::RoleAddress self;
        Incarnation life;
        env::ManualTimers timers;
        DataServer server;
    };
    struct Quiet final : LogSink {
        void write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
    };
    struct OnTheWay {
        msg::RoleAddress from;
        msg::RoleAddress to;
        msg::ClusterMessage message;
    };

    msg::NodeHeartbeatReply reply(Incarnation life) {
        return {.incarnation = life,
                .known_before = true,
                .version_ceiling = Version(std::uint64_t{1} << 62U),
                .table = table,
                .members_epoch = members_epoch_,
                .members = members_,
                .braking = braking};
    }

    Quiet quiet_;
    env::ManualClock clock_;
    history::Recorder* history_ = nullptr;
    bool disks_given_ = false;
    std::map<NodeId, env::MemoryDisk> disks_;
    std::map<NodeId, std::unique_ptr<Node>> nodes_;
    std::map<NodeId, std::unique_ptr<TestSession>> sessions_;
    std::vector<Member> members_;
    std::uint64_t members_epoch_ = 1;
    std::set<NodeId> told_;
    std::set<std::string> uninformed_;
    std::deque<OnTheWay> way_;
    std::set<std::pair<NodeId, NodeId>> cuts_;
    std::uint64_t lives_ = 0;
    std::size_t steps_ = 0;
};

inline NodeId TestSession::target(SlotId slot, bool acting) const {
    return acting ? acting_node : world_.table.slots[slot.raw()].leader;
}
inline Epoch TestSession::epoch(SlotId slot) const {
    return world_.table.slots[slot.raw()].epoch;
}

inline void TestSession::publish(const std::string& id, const ServicePtr& of, bool acting) {
    auto publication = std::make_shared<Publication>();
    publication->id = RegistId(id);
    publication->service = of;
    publication->order = {static_cast<std::int64_t>(++seq_), 0};
    const auto box = boxes.find(id);
    publication->boxes = {box == boxes.end() ? id + "@" + std::to_string(seq_) : box->second};
    own_[id] = {.id = publication->id,
                .service = of,
                .publication = publication,
                .order = publication->order,
                .owner_seq = seq_};
    const SlotId slot = slot_of(*of, world_.slots);
    world_.send({node, Role::session}, {target(slot, acting), Role::data},
                msg::PublishBatch{.session = Incarnation(life_),
                                  .slot = slot,
                                  .slot_epoch = epoch(slot),
                                  .batch = ++batch_,
                                  .acting = acting,
                                  .ops = {own_[id]},
                                  .got_us = got_us});
    world_.run();
}

inline void TestSession::withdraw(const std::string& id, bool acting) {
    msg::PublishBatch::Op op = own_.at(id);
    own_.erase(id);
    op.publication = nullptr;
    op.order = {static_cast<std::int64_t>(++seq_), 0};
    op.owner_seq = seq_;
    const SlotId slot = slot_of(*op.service, world_.slots);
    world_.send({node, Role::session}, {target(slot, acting), Role::data},
                msg::PublishBatch{.session = Incarnation(life_),
                                  .slot = slot,
                                  .slot_epoch = epoch(slot),
                                  .batch = ++batch_,
                                  .acting = acting,
                                  .ops = {op}});
    world_.run();
}

inline void TestSession::close(const std::string& id, bool confirmed) {
    end(id, RemovalCause::closed, confirmed);
}

inline void TestSession::fall_silent(const std::string& id) {
    end(id, RemovalCause::silent, false);
}

inline void TestSession::drop(const std::string& id, OperatorWord word) {
    own_.at(id).word = std::make_shared<const OperatorWord>(std::move(word));
    end(id, RemovalCause::silent, true);
}

inline void TestSession::end(const std::string& id, RemovalCause cause, bool confirmed) {
    msg::PublishBatch::Op op = own_.at(id);
    own_.erase(id);
    op.publication = nullptr;
    op.cause = cause;
    op.owner_seq = ++seq_;
    op.confirmed = confirmed;
    const SlotId slot = slot_of(*op.service, world_.slots);
    world_.send({node, Role::session}, {target(slot, false), Role::data},
                msg::PublishBatch{.session = Incarnation(life_),
                                  .slot = slot,
                                  .slot_epoch = epoch(slot),
                                  .batch = ++batch_,
                                  .acting = false,
                                  .ops = {op}});
    world_.run();
}

inline void TestSession::want(const ServicePtr& of, bool acting) {
    wanted_[of->data_id] = of;
    const SlotId slot = slot_of(*of, world_.slots);
    const Copy& copy = copies[of->data_id];
    const NodeId to = target(slot, acting);
    world_.send({node, Role::session}, {to, Role::data},
                msg::InterestDeclare{.session = Incarnation(life_),
                                     .stream = 1,
                                     .part = ++parts_[to],
                                     .acting = acting,
                                     .items = {{.service = of,
                                                .held = copy.version,
                                                .complete = copy.complete,
                                                .heard = copy.version,
                                                .slot_epoch = epoch(slot)}}});
    world_.run();
}

inline void TestSession::beat(const NodeId& to) {
    std::map<NodeId, msg::SessionHeartbeat> beats;
    for (std::size_t i = 0; i < world_.table.slots.size(); ++i) {
        const SlotId slot(static_cast<std::uint16_t>(i));
        msg::SessionHeartbeat::SlotDigest digest{.slot = slot,
                                                 .slot_epoch = epoch(slot),
                                                 .digest = {},
                                                 .count = 0,
                                                 .complete = complete,
                                                 .acting = to != NodeId{}};
        for (const auto& [id, op] : own_) {
            if (slot_of(*op.service, world_.slots) == slot) {
                digest.digest.add(digest_of(op.id, op.order));
                ++digest.count;
            }
        }
        beats[to != NodeId{} ? to : world_.table.slots[i].leader].digests.push_back(digest);
    }
    for (auto& [leader, beat] : beats) {
        beat.session = Incarnation(life_);
        beat.stamp = seq_;
        beat.round = rounds_[leader];
        world_.send({node, Role::session}, {leader, Role::data}, std::move(beat));
    }
    world_.run();
}

inline void TestSession::on_message(const msg::RoleAddress& from,
                                    const msg::ClusterMessage& message) {
    if (const auto* batch = std::get_if<msg::ChangeBatch>(&message)) {
        const bool served_before = acting_node != NodeId{} && from.node != acting_node;
        if (batch->session != Incarnation(life_) || served_before) {
            return;
        }
        for (const auto& change : batch->changes) {
            fold(change);
        }
    } else if (const auto* ask = std::get_if<msg::SlotDetailRequest>(&message)) {
        for (const auto& [slot, slot_epoch, after] : ask->slots) {
            msg::SlotDetail detail{.session = Incarnation(life_),
                                   .slot = slot,
                                   .slot_epoch = slot_epoch,
                                   .stamp = seq_,
                                   .round = ask->round,
                                   .complete = complete,
                                   .publications = {},
                                   .after = after};
            for (auto own = own_.upper_bound(after.raw()); own != own_.end(); ++own) {
                if (slot_of(*own->second.service, world_.slots) != slot) {
                    continue;
                }
                if (detail.publications.size() == part_max) {
                    detail.more = true;
                    break;
                }
                detail.publications.push_back(own->second);
            }
            ++details;
            world_.send({node, Role::session}, from, std::move(detail));
        }
    } else if (const auto* elsewhere = std::get_if<msg::Superseded>(&message)) {
        for (const auto& item : elsewhere->items) {
            own_.erase(item.id.raw());
        }
    } else if (const auto* heard = std::get_if<msg::DataHeartbeat>(&message)) {
        rounds_[from.node] = std::max(rounds_[from.node], heard->round);
    } else if (const auto* answer = std::get_if<msg::NotLeading>(&message)) {
        refused.insert(refused.end(), answer->items.begin(), answer->items.end());
    } else if (const auto* reply = std::get_if<msg::PublishBatchReply>(&message)) {
        ++acked[reply->result ? "ok" : std::string(info(reply->result.error().code).name)];
    }
}

inline void TestSession::fold(const std::variant<DatumChange, DatumSnapshot>& change) {
    if (const auto* step = std::get_if<DatumChange>(&change)) {
        Copy& copy = copies[step->service->data_id];
        ++changes;
        traces.push_back(step->trace);
        EXPECT_EQ(step->from, copy.version) << node.raw() << " missed a change";
        EXPECT_GT(step->to, copy.version);
        for (const auto& publication : step->upserts) {
            copy.ids.insert(publication->id.raw());
            copy.shown[publication->id] = shown_digest_of(*publication);
        }
        for (const auto& removal : step->removals) {
            copy.ids.erase(removal.id.raw());
            copy.shown.erase(removal.id);
            copy.departed.push_back(removal);
        }
        if (copy.complete && step->digest) {
            SetDigest digest;
            for (const auto& [id, element] : copy.shown) {
                digest.add(element);
            }
            EXPECT_EQ(*step->digest, digest) << node.raw() << " has another list";
            ++compared;
        }
        copy.version = step->to;
        return;
    }
    const auto& whole = std::get<DatumSnapshot>(change);
    Copy& copy = copies[whole.service->data_id];
    ++snapshots;
    EXPECT_GE(whole.version, copy.version);
    if (whole.settled) {
        copy.ids.clear();
        copy.shown.clear();
    }
    for (const auto& gone : whole.departed) {
        if (!gone.connection) {
            copy.ids.erase(gone.id.raw());
            copy.shown.erase(gone.id);
        }
    }
    for (const auto& publication : whole.publications) {
        if (whole.settled || !copy.saw_leave(*publication)) {
            copy.ids.insert(publication->id.raw());
            copy.shown[publication->id] = shown_digest_of(*publication);
        }
    }
    copy.version = whole.version;
    copy.complete = copy.complete || whole.settled;
}

}  // namespace muster::data::test
