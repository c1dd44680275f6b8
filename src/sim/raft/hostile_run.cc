#include "sim/raft/hostile_run.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "raft/membership.h"
#include "raft/vote_file.h"
#include "sim/raft/cluster.h"

namespace muster::raft::swarm {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

ClusterOptions options_for(std::uint64_t seed) {
    Prng dice(seed ^ 0x5eed);
    ClusterOptions options;
    options.seed = seed;
    options.voters = static_cast<std::size_t>(dice.between(3, 5));
    options.hosts = options.voters;
    options.node = small_bounds();
    options.node.scrub = frequent_scrub();
    if (dice.chance(1, 2)) {
        options.hosts = std::max<std::size_t>(5, options.voters + 1);
    }
    return options;
}

class Nemesis {
public:
    explicit Nemesis(const HostileRun& run)
        : run_(run),
          cluster_(options_for(run.seed)),
          dice_(run.seed ^ 0xbad),
          changes_members_(cluster_.hosts() > 5 || dice_.chance(1, 3)),
          damages_files_(!changes_members_ && dice_.chance(1, 2)),
          slow_disks_(dice_.chance(1, 2)),
          rotting_(dice_.below(cluster_.hosts())),
          rots_(!changes_members_ && !damages_files_),
          pace_ms_(dice_.between(60, 800)) {
        network_weather();
    }

    Outcome run() {
        const MonoTime end = cluster_.now() + run_.hostile_time;
        MonoTime next_fault = cluster_.now();
        while (cluster_.now() < end && !cluster_.oracle().complaint()) {
            cluster_.run_for(milliseconds(dice_.between(1, 40)));
            work();
            if (cluster_.now() >= next_fault) {
                fault();
                next_fault = cluster_.now() + milliseconds(dice_.between(5, pace_ms_));
            }
        }
        heal();
        outcome_.violation = cluster_.oracle().complaint();
        if (!outcome_.violation) {
            outcome_.violation = converge();
        }
        outcome_.trace_hash = cluster_.trace_hash();
        outcome_.agreed = cluster_.oracle().order().size();
        outcome_.acknowledged = cluster_.oracle().acknowledged();
        outcome_.reads = cluster_.oracle().reads();
        outcome_.changes = static_cast<std::size_t>(
            std::count_if(changes_.begin(), changes_.end(), [&](std::uint64_t ticket) {
                const auto* answer = cluster_.answer(ticket);
                return answer != nullptr && answer->good;
            }));
        outcome_.reigns = cluster_.oracle().reigns();
        return outcome_;
    }

private:
    void work() {
        // Most ask whom they take for the leader, some anybody.
        const auto leader = cluster_.leader();
        for (std::uint64_t i = dice_.below(3); i > 0; --i) {
            const std::size_t host = leader && dice_.chance(4, 5) ? *leader : any_host();
            if (usable(host)) {
                (void)cluster_.propose(host, 8 + dice_.below(120));
            }
        }
        const std::size_t host = dice_.chance(1, 2) && leader ? *leader : any_host();
        if (dice_.chance(1, 2) && usable(host)) {
            (void)cluster_.read(host);
        }
    }

    void fault() {
        switch (dice_.below(21)) {
            case 0: crash_some(); break;
            case 1: crash_one(); break;
            case 2:
            case 3:
            case 4: restart_some(); break;
            case 5: cluster_.isolate(any_host()); break;
            case 6: cluster_.cut(any_host(), any_host()); break;
            case 7:
            case 8: cluster_.heal_network(); break;
            case 9: pause_or_resume(); break;
            case 10: disk_weather(); break;
            case 11: leap_or_transfer(); break;
            case 12: network_weather(); break;
            case 13: disks_are_well(); break;
            case 14: cluster_.split(dice_.next()); break;
            case 15: deafen_or_mute(any_host()); break;
            case 16: clock_weather(any_host()); break;
            case 17: stop_or_say_gone(); break;
            case 18:
                if (rots_) {
                    rot();
                    break;
                }
                [[fallthrough]];
            default: changes_members_ ? change_members() : restart_some(); break;
        }
    }

    void network_weather() {
        cluster_.network() = {
            .delay_min = microseconds(100),
            .delay_max = milliseconds(dice_.between(1, dice_.chance(1, 4) ? 400 : 60)),
            .lost_per_mille = dice_.below(dice_.chance(1, 4) ? 300 : 60),
            .doubled_per_mille = dice_.below(100)};
    }

    // One way: it hears nobody, or nobody hears it.
    void deafen_or_mute(std::size_t host) {
        const bool deaf = dice_.chance(1, 2);
        for (std::size_t other = 0; other < cluster_.hosts(); ++other) {
            deaf ? cluster_.cut(other, host) : cluster_.cut(host, other);
        }
    }

    // True or not.
    void stop_or_say_gone() {
        const std::size_t host = any_host();
        if (!usable(host)) {
            return;
        }
        if (dice_.chance(1, 3)) {
            (void)cluster_.stop(host);
            cluster_.run_for(milliseconds(dice_.between(1, 1500)));
            if (cluster_.up(host)) {
                crash(host);
            }
        } else {
            cluster_.say_gone(host, any_host());
        }
    }

    void clock_weather(std::size_t host) {
        if (dice_.chance(1, 2)) {
            cluster_.stall_clock(host, milliseconds(dice_.between(1, 3000)));
        } else {
            cluster_.set_clock_rate(host, dice_.chance(1, 3) ? 100 : dice_.between(50, 200));
        }
    }

    void disks_are_well() {
        for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
            cluster_.disk_weather(host) = {};
            cluster_.limit_disk(host, kRoomForAll);
            cluster_.resume(host);
        }
    }

    void crash_one() {
        const auto leader = cluster_.leader();
        const std::size_t host = leader && dice_.chance(1, 2) ? *leader : any_host();
        if (cluster_.up(host)) {
            crash(host);
        }
    }

    void crash(std::size_t host) {
        ++outcome_.crashes;
        cluster_.crash(host, {.operations = dice_.below(3),
                              .torn_bytes = dice_.below(200),
                              .torn_as_zeros = dice_.chance(1, 3)});
    }

    void crash_some() {
        for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
            if (cluster_.up(host) && dice_.chance(1, 2)) {
                crash(host);
            }
        }
    }

    void restart_some() {
        for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
            if (!cluster_.up(host) && dice_.chance(2, 3)) {
                if (damages_files_ && dice_.chance(1, 3)) {
                    damage(host);
                }
                start(host);
            }
        }
    }

    void start(std::size_t host) {
        cluster_.start(host);
        if (const auto& error = cluster_.start_error(host)) {
            cluster_.oracle().complain(fmt::format("{} does not start: {}",
                                                   Cluster::id_of(host).raw(), to_string(*error)));
        }
        if (cluster_.up(host) && cluster_.node(host).core().hard_state().doubt) {
            ++outcome_.losses;
        }
    }

    bool others_are_well(std::size_t host) {
        for (std::size_t other = 0; other < cluster_.hosts(); ++other) {
            if (other != host && (!cluster_.up(other) || in_doubt(other))) {
                return false;
            }
        }
        return true;
    }

    // Old bytes go bad, at one node at a time: what a majority lost is lost.
    void damage(std::size_t host) {
        if (!others_are_well(host)) {
            return;
        }
        std::vector<std::string> paths;
        for (const auto& [path, bytes] : cluster_.disk(host).files()) {
            paths.push_back(path);
        }
        if (dice_.chance(1, 6)) {
            ++outcome_.wipes;
            cluster_.wipe(host);
            return;
        }
        const std::string path = paths.empty() ? "" : paths[dice_.below(paths.size())];
        const bool spared = path == last_segment(paths) || !votes_are_whole(host);
        const bool whole_file = path.ends_with(".mlog") || path.ends_with(".msnap");
        if (path.empty() || spared) {
            return;
        }
        const std::size_t size = cluster_.disk(host).files().find(path)->second.size();
        if (size == 0) {
            return;
        }
        if (whole_file && dice_.chance(1, 4)) {
            cluster_.disk(host).erase(path);
        } else if (whole_file && dice_.chance(1, 3)) {
            cluster_.disk(host).cut(path, dice_.below(size));
        } else {
            cluster_.disk(host).flip_bit(path, dice_.below(size),
                                         static_cast<unsigned>(dice_.below(8)));
        }
    }

    // Files go bad while their node runs, or wait for it: at one node only, and not the last
    // segment, whose damage may look like a torn write.
    void rot() {
        if (!others_are_well(rotting_)) {
            return;  // as in damage(); later they lose nothing
        }
        const auto& files = cluster_.disk(rotting_).files();
        std::vector<std::string> paths;
        for (const auto& [path, bytes] : files) {
            paths.push_back(path);
        }
        const std::string path = paths.empty() ? "" : paths[dice_.below(paths.size())];
        const bool spared = path.empty() || path == last_segment(paths) ||
                            path.ends_with(".mres") || !votes_are_whole(rotting_);
        const std::size_t size = spared ? 0 : files.find(path)->second.size();
        if (size > 0) {
            ++outcome_.rots;
            cluster_.disk(rotting_).flip_bit(path, dice_.below(size),
                                             static_cast<unsigned>(dice_.below(8)));
        }
    }

    // Both gone bad, or never written, cannot be mended: a test of its own.
    bool votes_are_whole(std::size_t host) {
        const auto& files = cluster_.disk(host).files();
        return std::all_of(std::begin(kVoteFiles), std::end(kVoteFiles), [&](auto name) {
            const auto file = files.find("meta/" + std::string(name));
            return file != files.end() && decode_vote_file(file->second).has_value();
        });
    }

    // What it knows already may not be durable yet: a crash would bring the doubt back.
    bool in_doubt(std::size_t host) {
        const auto& files = cluster_.disk(host).files();
        bool doubt = cluster_.node(host).core().hard_state().doubt;
        for (const std::string_view name : kVoteFiles) {
            const auto file = files.find("meta/" + std::string(name));
            const auto vote = decode_vote_file(file == files.end() ? "" : file->second);
            doubt = doubt || !vote || vote->hard.doubt;
        }
        return doubt;
    }

    static std::string last_segment(const std::vector<std::string>& paths) {
        std::string last;
        for (const std::string& path : paths) {
            if (path.ends_with(".mlog")) {
                last = std::max(last, path);
            }
        }
        return last;
    }

    void pause_or_resume() {
        const std::size_t host = any_host();
        if (cluster_.paused(host)) {
            cluster_.resume(host);
        } else if (cluster_.up(host)) {
            cluster_.pause(host);
        }
    }

    void disk_weather() {
        const std::size_t host = any_host();
        cluster_.limit_disk(host, dice_.chance(1, 2) ? dice_.below(12'000) : kRoomForAll);
        DiskWeather& weather = cluster_.disk_weather(host);
        weather.full = dice_.chance(1, 3);
        weather.delay_max = milliseconds(slow_disks_ && dice_.chance(1, 2) ? dice_.between(50, 1500)
                                                                           : dice_.between(1, 10));
    }

    void change_members() {
        const auto leader = cluster_.leader();
        if (!leader || !usable(*leader) || !changes_members_) {
            return;
        }
        Membership members = cluster_.node(*leader).members();
        const NodeId node = Cluster::id_of(any_host());
        const bool voter = is_voter(members, node);
        const bool member = is_member(members, node);
        std::erase(members.voters, node);
        std::erase(members.learners, node);
        if (!member || (voter && dice_.chance(1, 3))) {
            members.learners.push_back(node);
        } else if (!voter && dice_.chance(3, 4)) {
            members.voters.push_back(node);
        }
        if (members.voters.size() >= 2) {
            changes_.push_back(cluster_.change(*leader, members));
        }
    }

    void leap_or_transfer() {
        const auto leader = cluster_.leader();
        if (leader && usable(*leader) && dice_.chance(1, 2)) {
            (void)cluster_.transfer(*leader, any_host());
        } else {
            cluster_.leap(any_host());
        }
    }

    void heal() {
        cluster_.heal_network();
        cluster_.network() = {};
        for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
            cluster_.disk_weather(host) = {};
            cluster_.limit_disk(host, kRoomForAll);
            cluster_.set_clock_rate(host, 100);
            cluster_.resume(host);
            if (!cluster_.up(host) && !cluster_.oracle().complaint()) {
                start(host);
            }
        }
    }

    std::optional<std::string> converge() {
        if (!cluster_.run_until([&] { return cluster_.converged(); }, run_.healing_time)) {
            return cluster_.oracle().complaint().value_or("stuck: " + describe());
        }
        // Orders of before may still be carried out: a handover, what a paused node had missed.
        std::string why;
        for (int turn = 0; turn < 10 && !cluster_.oracle().complaint(); ++turn) {
            const auto leader = cluster_.leader();
            if (!leader) {
                cluster_.run_for(seconds(1));
                continue;
            }
            const std::uint64_t ticket = cluster_.propose(*leader);
            cluster_.run_for(seconds(1));
            const auto* answer = cluster_.answer(ticket);
            if (answer != nullptr && answer->good) {
                return cluster_.oracle().complaint();
            }
            why = answer != nullptr ? to_string(answer->why) : "no answer";
        }
        return cluster_.oracle().complaint().value_or(
            fmt::format("stuck: a command is not taken ({}): {}", why, describe()));
    }

    std::string describe() {
        std::string text;
        for (std::size_t host = 0; host < cluster_.hosts(); ++host) {
            if (!cluster_.up(host)) {
                text += Cluster::id_of(host).raw() + " down; ";
                continue;
            }
            const RaftCore& core = cluster_.node(host).core();
            const Membership members = cluster_.node(host).members();
            text += fmt::format(
                "{} {} term {} leader {} log {}..{} commit {} applied {} durable {} "
                "doubt {} voters [{}] learners [{}]; ",
                Cluster::id_of(host).raw(), to_string(core.role()), core.term().raw(),
                core.leader().raw(), core.log().base().raw(), core.log().last().raw(),
                core.commit().raw(), core.applied().raw(), core.durable().raw(),
                core.hard_state().doubt, names(members.voters), names(members.learners));
        }
        return text;
    }

    static std::string names(const std::vector<NodeId>& nodes) {
        std::string text;
        for (const NodeId& node : nodes) {
            text += (text.empty() ? "" : " ") + node.raw();
        }
        return text;
    }

    [[nodiscard]] bool usable(std::size_t host) const {
        return cluster_.up(host) && !cluster_.paused(host);
    }
    std::size_t any_host() {
        return dice_.below(cluster_.hosts());
    }

    const HostileRun run_;
    Cluster cluster_;
    Prng dice_;
    bool changes_members_;
    bool damages_files_;
    bool slow_disks_;
    std::size_t rotting_;
    bool rots_;
    std::int64_t pace_ms_;  // between faults, at most
    std::vector<std::uint64_t> changes_;
    Outcome outcome_;
};

}  // namespace

Outcome run_hostile(const HostileRun& run) {
    return Nemesis(run).run();
}

}  // namespace muster::raft::swarm
