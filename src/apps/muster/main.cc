// The `muster` program: the server and the commands that ask it.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "apps/muster/bench_command.h"
#include "apps/muster/client_commands.h"
#include "apps/muster/cluster_commands.h"
#include "apps/muster/completion.h"
#include "apps/muster/drain_command.h"
#include "apps/muster/history_command.h"
#include "apps/muster/propagation_command.h"
#include "apps/muster/query_commands.h"
#include "apps/muster/server_command.h"
#include "apps/muster/verify_command.h"
#include "apps/muster/version.h"

namespace {

using namespace muster::cli;  // NOLINT: the program's own commands

void add_query_options(CLI::App& command, QueryOptions& options) {
    command.add_option("-s,--server", options.server, "HTTP address of a server, host:port")
        ->envname("MUSTER_SERVER")
        ->capture_default_str();
    command.add_option("-o,--output", options.output, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
}

void add_asked_by_option(CLI::App& command, std::string& asked_by) {
    command.add_option("--by", asked_by,
                       "What the history notes as who asked, at most 64 bytes; your login and host "
                       "by default");
}

// Each adds one command; what it returns when it was called becomes `exit_status`.

void add_server(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<ServerOptions>();
    auto* command = app.add_subcommand("server", "Run a node: by itself, or of a cluster (--join)");
    command->add_option("-c,--config", options->config_file, "Configuration file (YAML)");
    command->add_option("--data-dir", options->data_dir,
                        "Folder of the node's data (same as --set data_dir=...)");
    command->add_option("--roles", options->roles,
                        "What this node does, with commas: meta, data, session; all by default "
                        "(same as --set roles=...)");
    command->add_option("--node-id", options->node_id,
                        "Name of this node in the cluster (same as --set node_id=...)");
    command->add_option("--join", options->join,
                        "The metas of the cluster, id=ip:port with commas; without it this node "
                        "is a registry of its own (same as --set cluster.join=...)");
    command->add_option("--set", options->overrides,
                        "Override one key of the configuration: --set bolt.listen=127.0.0.1:9600");
    command->callback([options, &exit_status] { exit_status = run_server(*options); });
}

void add_client_options(CLI::App& command, ClientOptions& options) {
    command
        .add_option(
            "-s,--server", options.servers,
            "Client ports of servers, host:port, with commas; or http://host:port to ask there")
        ->envname("MUSTER_SERVERS")
        ->capture_default_str();
    command.add_option("--zone", options.zone, "Zone of this client; else the server's default");
    command.add_option("-o,--output", options.output, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
}

void add_publish(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<PublishOptions>();
    auto* command = app.add_subcommand("publish", "Keep an endpoint registered until Ctrl-C");
    add_client_options(*command, options->client);
    command->add_option("service", options->service, "tenant/group/dataId, group/dataId or dataId")
        ->required();
    command->add_option("address", options->address, "Where it is: ip:port")->required();
    command->add_option("--weight", options->weight, "0 to 1000000; 0 is never picked")
        ->check(CLI::Range(0, 1'000'000))
        ->capture_default_str();
    command->add_option("--app", options->app, "Name of the application");
    command->add_option("--meta", options->metadata, "key=value; may be repeated");
    command->add_option("--seconds", options->seconds, "Unregister and end after so long")
        ->check(CLI::NonNegativeNumber);
    command->callback([options, &exit_status] { exit_status = run_publish(*options); });
}

void add_watch(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<WatchOptions>();
    auto* command = app.add_subcommand("watch", "Show a service's list and every change of it");
    add_client_options(*command, options->client);
    command->add_option("service", options->service, "tenant/group/dataId, group/dataId or dataId")
        ->required();
    command->add_option("--scope", options->scope, "zone, dataCenter or global")
        ->check(CLI::IsMember({"zone", "dataCenter", "global"}))
        ->capture_default_str();
    command->add_option("--count", options->count, "End after so many lists");
    command->callback([options, &exit_status] { exit_status = run_watch(*options); });
}

void add_services(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<ServicesOptions>();
    auto* command = app.add_subcommand("services", "List the services that are published");
    add_query_options(*command, options->query);
    command->add_option("--contains", options->contains, "Only names that hold this text");
    command->add_option("--limit", options->limit, "At most so many")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->callback([options, &exit_status] { exit_status = run_services(*options); });
}

void add_service_argument(CLI::App& command, ServiceOptions& options) {
    add_query_options(command, options.query);
    command.add_option("service", options.service, "tenant/group/dataId, group/dataId or dataId")
        ->required();
}

void add_instances(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<ServiceOptions>();
    auto* command = app.add_subcommand("instances", "List who publishes a service");
    add_service_argument(*command, *options);
    command
        ->add_option("--scope", options->scope,
                     "zone, dataCenter or global; dataCenter unless --zone is given")
        ->check(CLI::IsMember({"zone", "dataCenter", "global"}));
    command->add_option("--zone", options->zone, "Only those of this zone");
    command->callback([options, &exit_status] { exit_status = run_instances(*options); });
}

void add_subscribers(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<ServiceOptions>();
    auto* command =
        app.add_subcommand("subscribers", "List who is told about a service, and how far they are");
    add_service_argument(*command, *options);
    command->callback([options, &exit_status] { exit_status = run_subscribers(*options); });
}

void add_flapping(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<FlappingOptions>();
    auto* command = app.add_subcommand(
        "flapping", "List a session's instances that come and go too often to be shown");
    add_query_options(*command, options->query);
    command->add_option("--limit", options->limit, "At most so many")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->callback([options, &exit_status] { exit_status = run_flapping(*options); });
}

void add_propagation(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<PropagationOptions>();
    auto* command = app.add_subcommand(
        "propagation", "List who has a service's newest version, and who is behind since when");
    add_query_options(*command, options->query);
    command->add_option("service", options->service, "tenant/group/dataId, group/dataId or dataId")
        ->required();
    command->add_option("--limit", options->limit, "At most so many, the furthest behind first")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    auto* stages = command->add_flag(
        "--stages", options->stages,
        "Tell how long its changes take from stage to stage, measured since this is asked first");
    command->add_option("--for", options->measure, "Go on measuring for so long: 500ms, 30s, 1h")
        ->needs(stages)
        ->capture_default_str();
    command->footer(
        "Exit status: 0 everybody has it, 1 it could not be asked, 3 somebody is behind or did not "
        "answer.");
    command->callback([options, &exit_status] { exit_status = run_propagation(*options); });
}

CLI::App* add_drain_command(CLI::App& app, const char* name, const char* help,
                            DrainOptions& options) {
    auto* command = app.add_subcommand(name, help);
    add_query_options(*command, options.query);
    command->add_option("service", options.service, "tenant/group/dataId, group/dataId or dataId")
        ->required();
    command->add_option("address", options.address, "Of the instance: ip:port")->required();
    add_asked_by_option(*command, options.asked_by);
    return command;
}

void add_drain(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<DrainOptions>();
    auto* command = add_drain_command(
        app, "drain", "Take an instance out of all lists, so that it can be stopped", *options);
    command
        ->add_option("--timeout", options->timeout,
                     "How long subscribers have to acknowledge: 500ms, 30s, up to 10m")
        ->capture_default_str();
    command->footer(
        "Exit status: 0 nobody has it in a list, 1 refused or not reached, 3 not everybody has\n"
        "acknowledged; asked again, it waits on.");
    command->callback([options, &exit_status] { exit_status = run_drain(*options); });
}

void add_restore(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<DrainOptions>();
    auto* command = add_drain_command(
        app, "restore", "Show a drained instance again, with its weight growing", *options);
    command
        ->add_option("--ramp", options->ramp,
                     "Until it has its whole weight: 30s, up to 60m; 0 at once")
        ->capture_default_str();
    command->callback([options, &exit_status] { exit_status = run_restore(*options); });
}

void add_history(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<HistoryOptions>();
    auto* command = app.add_subcommand(
        "history", "List what became of a service's instances, and why each left");
    add_query_options(*command, options->query);
    command->add_option("service", options->service, "tenant/group/dataId, group/dataId or dataId")
        ->required();
    command->add_option("address", options->address, "Only of the instance at ip:port");
    command->add_option("--since", options->since, "Only what is not longer ago: 90s, 30m, 24h");
    command->add_option("--until", options->until, "Only what is longer ago: 20h");
    command->add_option("--limit", options->limit, "At most so many, the newest first")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->footer(
        "Exit status: 0 all data servers answered, 1 it could not be asked, 3 one did not answer "
        "or\nkeeps no history.");
    command->callback([options, &exit_status] { exit_status = run_history(*options); });
}

void add_status(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<QueryOptions>();
    auto* command = app.add_subcommand("status", "Show what a server is doing");
    add_query_options(*command, *options);
    command->callback([options, &exit_status] { exit_status = run_status(*options); });
}

// A command's own commands take its options, too.
CLI::App* add_part(CLI::App& command, const char* name, const char* help) {
    auto* part = command.add_subcommand(name, help);
    part->fallthrough();
    return part;
}

void add_members(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<RemoveOptions>();
    auto* command = app.add_subcommand("members", "List the nodes of the cluster");
    add_query_options(*command, options->query);
    auto* remove = add_part(*command, "remove", "Forget a node that is dead");
    remove->add_option("node", options->node, "Its node id")->required();
    remove->add_option("--role", options->role, "As what it is forgotten: data or session")
        ->check(CLI::IsMember({"data", "session"}))
        ->capture_default_str();
    command->callback([options, remove, &exit_status] {
        exit_status = remove->parsed() ? run_remove_member(*options) : run_members(options->query);
    });
}

void add_slots(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<MoveOptions>();
    auto* command = app.add_subcommand("slots", "List who holds which part of the services");
    add_query_options(*command, options->query);
    command->require_subcommand(0, 1);
    auto* move = add_part(*command, "move", "Let a data server lead a slot");
    move->add_option("slot", options->slot, "Number of the slot")->required();
    move->add_option("--to", options->to, "Node id of the data server")->required();
    auto* stop = add_part(*command, "stop", "Move nothing, but promote followers of the dead");
    auto* start = add_part(*command, "start", "Place by itself again; ends stop, force and moves");
    auto* force =
        add_part(*command, "force", "Place although fewer data servers live than are protected");
    command->callback([options, move, stop, start, force, &exit_status] {
        if (move->parsed()) {
            exit_status = run_move_slot(*options);
        } else if (stop->parsed()) {
            exit_status = run_place(options->query, "stopped");
        } else if (start->parsed()) {
            exit_status = run_place(options->query, "automatic");
        } else if (force->parsed()) {
            exit_status = run_place(options->query, "forced");
        } else {
            exit_status = run_slots(options->query);
        }
    });
}

void add_brake(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<BrakeOptions>();
    auto* command = app.add_subcommand(
        "brake", "List what is held because too many ended at once, and decide about it");
    add_query_options(*command, options->query);
    command->require_subcommand(0, 1);
    auto* confirm = add_part(*command, "confirm", "They are gone: remove what is held");
    auto* release = add_part(*command, "release", "They live: keep it, and give them time anew");
    for (CLI::App* part : {confirm, release}) {
        part->add_option("scope", options->scope, "session, service or cluster")
            ->required()
            ->check(CLI::IsMember({"session", "service", "cluster"}));
        part->add_option("name", options->name, "Node id of the session, or the service");
        add_asked_by_option(*part, options->asked_by);
    }
    command->callback([options, confirm, release, &exit_status] {
        if (confirm->parsed()) {
            exit_status = run_decide(*options, "confirm");
        } else if (release->parsed()) {
            exit_status = run_decide(*options, "release");
        } else {
            exit_status = run_brake(options->query);
        }
    });
}

void add_verify(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<QueryOptions>();
    auto* command = app.add_subcommand("verify", "Compare what all data servers and sessions hold");
    add_query_options(*command, *options);
    command->footer(
        "Exit status: 0 all is equal, 1 something differs, 3 not all could be asked or compared.");
    command->callback([options, &exit_status] { exit_status = run_verify(*options); });
}

void add_version(CLI::App& app, int& exit_status) {
    auto options = std::make_shared<QueryOptions>();
    auto* command = app.add_subcommand("version", "Print the version of this program");
    command->add_option("-o,--output", options->output, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
    command->callback([options, &exit_status] { exit_status = run_version(*options); });
}

void add_option_words(const CLI::App& command, std::vector<std::string>& words) {
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            words.push_back("--" + name);
        }
        for (const std::string& name : option->get_snames()) {
            words.push_back("-" + name);
        }
    }
}

std::vector<CommandWords> words_of(const CLI::App& app) {
    std::vector<CommandWords> commands;
    for (const CLI::App* command : app.get_subcommands({})) {
        CommandWords words{.name = command->get_name(), .options = {}, .parts = words_of(*command)};
        add_option_words(*command, words.options);
        if (command->get_fallthrough()) {
            add_option_words(app, words.options);
        }
        for (const CommandWords& part : words.parts) {
            words.options.push_back(part.name);
        }
        commands.push_back(std::move(words));
    }
    return commands;
}

void add_completion(CLI::App& app, int& exit_status) {
    auto shell = std::make_shared<std::string>("bash");
    auto* command = app.add_subcommand(
        "completion", "Print the shell's completion: source <(muster completion bash)");
    command->add_option("shell", *shell, "bash")
        ->check(CLI::IsMember({"bash"}))
        ->capture_default_str();
    command->callback([shell, &app, &exit_status] {
        std::printf("%s", bash_completion(words_of(app)).c_str());
        exit_status = 0;
    });
}

// A first word that is no command gets a better answer than that one is missing. Returns whether it
// was given.
bool refused_unknown_command(const CLI::App& app, const std::string& word) {
    const auto commands = words_of(app);
    if (word.starts_with('-') ||
        std::ranges::find(commands, word, &CommandWords::name) != commands.end()) {
        return false;
    }
    const std::string nearest = nearest_command(commands, word);
    std::string hint;
    if (!nearest.empty()) {
        hint = ". Did you mean '" + nearest + "'?";
    }
    std::fprintf(stderr,
                 "muster: there is no command '%s'%s\nRun muster --help for all commands.\n",
                 word.c_str(), hint.c_str());
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Muster: a service registry. Where is the other one, now?"};
    app.name("muster");
    app.require_subcommand(1);
    app.set_version_flag("--version", "muster " MUSTER_VERSION, "Print the version and exit");
    app.set_help_all_flag("--help-all", "Help of all commands");
    app.footer(
        "muster help COMMAND tells more of one.\n"
        "Exit status: 0 done, 1 the registry refused or was not reached, 2 wrong usage; those of "
        "verify,\n"
        "propagation, drain, history and bench say more.\n"
        "Environment: MUSTER_SERVER is the default of --server of commands that ask (HTTP),\n"
        "MUSTER_SERVERS that of publish, watch and bench (bolt).");
    int exit_status = 0;
    add_server(app, exit_status);
    add_publish(app, exit_status);
    add_watch(app, exit_status);
    add_services(app, exit_status);
    add_instances(app, exit_status);
    add_subscribers(app, exit_status);
    add_flapping(app, exit_status);
    add_propagation(app, exit_status);
    add_drain(app, exit_status);
    add_restore(app, exit_status);
    add_history(app, exit_status);
    add_status(app, exit_status);
    add_members(app, exit_status);
    add_slots(app, exit_status);
    add_brake(app, exit_status);
    add_verify(app, exit_status);
    add_bench(app, exit_status);
    add_version(app, exit_status);
    add_completion(app, exit_status);
    // `muster help COMMAND` is what some try first.
    std::vector<std::string> arguments(argv + 1, argv + argc);
    if (!arguments.empty() && arguments.front() == "help") {
        arguments.erase(arguments.begin());
        arguments.emplace_back("--help");
    }
    if (!arguments.empty() && refused_unknown_command(app, arguments.front())) {
        return 2;
    }
    try {
        // CLI11 takes them from the back.
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    return exit_status;
}
